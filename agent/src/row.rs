//! Rows of fixed size with a checksum at the end: the frames, the ledger and the series are made of them. Read with bounds, never by index.

/// CRC-32 (IEEE 802.3) by nibbles: the table is small and the rows are short.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| nibble(nibble(crc ^ u32::from(*byte))))
}

fn nibble(crc: u32) -> u32 {
    const TABLE: [u32; 16] = [
        0x0000_0000,
        0x1DB7_1064,
        0x3B6E_20C8,
        0x26D9_30AC,
        0x76DC_4190,
        0x6B6B_51F4,
        0x4DB2_6158,
        0x5005_713C,
        0xEDB8_8320,
        0xF00F_9344,
        0xD6D6_A3E8,
        0xCB61_B38C,
        0x9B64_C2B0,
        0x86D3_D2D4,
        0xA00A_E278,
        0xBDBD_F21C,
    ];
    (crc >> 4) ^ TABLE.get((crc & 15) as usize).copied().unwrap_or(0)
}

/// The bytes with their checksum behind them.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(crc32(&bytes).to_le_bytes());
    bytes
}

/// The bytes of a sealed row; none where it is empty, torn or not ours.
pub(crate) fn unseal(row: &[u8]) -> Option<&[u8]> {
    let (bytes, crc) = row.split_last_chunk::<4>()?;
    (crc32(bytes).to_le_bytes() == *crc).then_some(bytes)
}

/// A value of fixed size in a row.
pub(crate) trait Field: Sized {
    const SIZE: usize;
    fn put(&self, to: &mut Vec<u8>);
    fn take(from: &mut &[u8]) -> Option<Self>;
}

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;
    fn put(&self, to: &mut Vec<u8>) {
        to.extend(self);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (head, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(*head)
    }
}

impl Field for u64 {
    const SIZE: usize = 8;
    fn put(&self, to: &mut Vec<u8>) {
        self.to_le_bytes().put(to);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Field::take(from).map(u64::from_le_bytes)
    }
}

/// A struct whose fields stand in a sealed row in their order.
macro_rules! sealed_row {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: $type,)* }

        impl $name {
            pub(crate) const BYTES: usize = 4 $(+ <$type as $crate::row::Field>::SIZE)*;

            pub(crate) fn encode(&self) -> Vec<u8> {
                let mut bytes = Vec::new();
                $($crate::row::Field::put(&self.$field, &mut bytes);)*
                $crate::row::seal(bytes)
            }

            /// None where the row is not exactly one of these.
            pub(crate) fn decode(row: &[u8]) -> Option<Self> {
                let mut bytes = $crate::row::unseal(row)?;
                let it = Self { $($field: $crate::row::Field::take(&mut bytes)?,)* };
                bytes.is_empty().then_some(it)
            }
        }
    };
}
pub(crate) use sealed_row;

/// An enum of one byte in a row.
macro_rules! byte_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $byte:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$item_doc])* $item = $byte,)* }

        impl $crate::row::Field for $name {
            const SIZE: usize = 1;
            fn put(&self, to: &mut Vec<u8>) {
                to.push(*self as u8);
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                match <[u8; 1] as $crate::row::Field>::take(from)? {
                    $([$byte] => Some(Self::$item),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use byte_enum;
