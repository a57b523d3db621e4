//! Identifiers: every id that crosses a module boundary is a type of its own.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// Text that is not an identifier of the wanted kind. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of 64 lower-case hex digits")]
pub struct IdError;

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The first eight hex digits: what a person sees.
            #[must_use]
            pub fn short(&self) -> String {
                let mut text = hex::encode(self.0);
                text.truncate(8);
                text
            }

            /// SHA-256 over the parts, each with its length before it, so that two lists of parts never meet.
            #[must_use]
            pub fn over(parts: &[&[u8]]) -> Self {
                let mut hash = Sha256::new();
                for part in parts {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
                Self(hash.finalize().into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() != 64 || text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(IdError);
                }
                let mut bytes = [0u8; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError)?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&hex::encode(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <alloc::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

hash_id! {
    /// A node's identity for life: SHA-256 over its first name and a UUID, 64 lower-case hex digits in text.
    NodeId
}
hash_id! {
    /// A network's identity.
    NetworkId
}
hash_id! {
    /// SHA-256 of a node certificate's DER: what the roster pins.
    Pin
}
hash_id! {
    /// One command of the owner (F6): SHA-256 over bot id, update id and index, so that two pollers make the same one.
    CommandId
}
hash_id! {
    /// SHA-256 of an invitation's token: what is stored in its place.
    TokenHash
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

counter! {
    /// The lease's term (L3): grows with every new holder, never falls.
    Term
}
counter! {
    /// A holder's durable sequence number (L1): no ask, renewal or release of one holder ever carries the same twice.
    Seq
}
counter! {
    /// A controller's boot generation (S1): grows with every start of the process, so that a request for an earlier start is refused.
    Generation
}

/// Who leads among those who may: smallest wins (DESIGN 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeaderKey {
    /// The owner's wish; smaller leads.
    pub priority: u32,
    /// Breaks ties.
    pub node: NodeId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_id_is_read_back_from_its_own_text() {
        let id = NodeId::over(&[b"alpha", b"uuid"]);
        assert_eq!(id.to_string().parse::<NodeId>(), Ok(id));
        assert_eq!(id.short().len(), 8);
    }

    #[test]
    fn upper_case_short_and_long_texts_are_refused() {
        let text = NodeId::over(&[b"alpha"]).to_string();
        assert!(text.to_uppercase().parse::<NodeId>().is_err());
        assert!(text[1..].parse::<NodeId>().is_err());
        assert!((text + "0").parse::<NodeId>().is_err());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(NodeId::over(&[b"ab", b"c"]), NodeId::over(&[b"a", b"bc"]));
    }
}
