//! Every limit, with its reason. Sizes are bytes, counts are counts, times are milliseconds where the name ends in `_MS`.

use core::time::Duration;

/// Bytes of standard error that are kept of the host's reboot command: enough for a sentence of systemd, never a log.
pub const REBOOT_STDERR_BYTES: usize = 512;

/// A request to the agent, head and body: its largest document is a reboot request of under 200 bytes.
pub const AGENT_REQUEST_BYTES: usize = 16 * 1024;

/// Time for a request to the agent to arrive, and again for its answer to be taken.
pub const AGENT_REQUEST_MS: u64 = 5_000;

/// Connections that the agent serves at once: the controller keeps a few, the operator's curl is one more. Others wait in the kernel's queue.
pub const AGENT_CONNECTIONS: usize = 16;

/// Calls of the controller to the agent at once: some connections stay free for the operator, and for one that closes late.
pub const AGENT_CALLS: usize = 8;

/// Points of a series in one answer: a phone's screen is not wider.
pub const SERIES_POINTS: usize = 600;

/// Points of a series that is drawn as a picture: a point for every third pixel; six nodes' answers are about 150 kB.
pub const CHART_POINTS: u32 = 400;

/// A chart's picture: a phone on a slow line has it in a second.
pub const CHART_BYTES: usize = 60_000;

/// Hours of the longest series: ninety days.
pub const SERIES_HOURS: u32 = 90 * 24;

/// How far above a voter's own term an ask may be: a damaged or hostile number must not use up the terms (L3).
pub const TERM_LEAP: u64 = 1_000;

/// No count that only grows (terms, voter records, boot generations, sequence numbers) comes near it: at a thousand a second it takes 8,900 years. What
/// is above was damaged, or made up by somebody, and is neither taken from others nor gone on from.
pub const COUNT_MOST: u64 = 1 << 48;

/// Calls to one peer that are under way at once. Each may need a connection of its own, and the other side takes [`PEER_CONNECTIONS_PER_ADDRESS`].
pub const PEER_CALLS: usize = PEER_CONNECTIONS_PER_ADDRESS;

/// Ids that are remembered as done: at ten commands a minute more than a quarter of an hour, far over the 60 s of a reboot's life and
/// over Telegram's redelivery, which ends with the confirmation.
pub const DONE_COMMANDS: usize = 256;

/// Voters at most: more only slow the lease down.
pub const VOTERS: usize = 7;

/// Bytes of a release's address: it stands once in the block of an invitation, whose message has 4,096 characters.
pub const RELEASE_URL_BYTES: usize = 512;

/// A node's name: fits a button and a DNS label.
pub const NAME_CHARS: usize = 63;

/// Body of any request between controllers: a roster of 1,000 nodes is about 700 kB.
pub const PEER_BODY_BYTES: u64 = 4 * 1024 * 1024;

/// Head of a request between controllers.
pub const PEER_HEAD_BYTES: usize = 16 * 1024;

/// Body of `/join`, which strangers can send.
pub const JOIN_BODY_BYTES: u64 = 8 * 1024;

/// Time for one request between controllers, from its first byte to its answer: a join dials back and may be passed on to the holder, each with
/// three round trips, over wires of a second.
pub const PEER_REQUEST_MS: u64 = 15_000;

/// Time for a connection to finish its handshake, and for a stranger's first head: the handshake of a wire of a second takes three times that when
/// one packet is lost, for the kernel's first time-out is three round trips.
pub const PEER_HEAD_MS: u64 = 10_000;

/// Time for a dial, which goes on whoever waits for it: TCP and TLS are two round trips, a lost SYN is sent again after 1, 3 and 7 s.
pub const PEER_DIAL_MS: u64 = 10_000;

/// After this a dial that is still under way does not keep another from being begun: a wire that was cut and is whole again answers the new one at
/// once, the old one with its next SYN.
pub const PEER_DIAL_AGAIN_MS: u64 = 2_000;

/// Dials to one peer that were begun within [`PEER_DIAL_AGAIN_MS`]: a heartbeat and a lease round at once.
pub const PEER_DIALS_YOUNG: usize = 3;

/// Dials to one peer under way, old ones too.
pub const PEER_DIALS: usize = 8;

/// A dial that took so long is worth a spare connection to that peer: a lease ask that has to wait for another costs the owner three round trips.
pub const PEER_FAR_MS: u64 = 200;

/// An answer is taken from the wire for so long after nobody waits for it any more: the round trip becomes known, and the connection stays. A
/// wire where a request takes longer carries nothing.
pub const PEER_LATE_MS: u64 = 10_000;

/// Connections of all peers at once.
pub const PEER_CONNECTIONS: usize = 512;

/// Connections of one source address at once: a peer needs three or four; several nodes may share an address.
pub const PEER_CONNECTIONS_PER_ADDRESS: usize = 64;

/// Tries at `/join` of one source address within a minute.
pub const JOINS_PER_MINUTE: usize = 30;

/// Nonces remembered per member for 61 s (twice `CLOCK_SKEW`), so that it may ask 1,074 times a second for good. They take up to
/// 4 MB: what one that went wild can make this node hold.
pub const NONCES: usize = 65_536;
/// How long the answer to a reboot request waits for the host's command before it says `started`: less than the controller's RPC time-out.
pub const REBOOT_ANSWER_MS: u64 = 2_000;

/// Above this length of its audit file the agent starts no speedtest until the host's operator has moved the file: a compromised controller
/// could start them one after another, and a test leaves two lines of 150 bytes. Room for 50,000 tests; a reboot has an interval of its own.
pub const AUDIT_BYTES: u64 = 16_000_000;

/// Less room than this in the state folder's file system counts as a full disk: each state file has a third copy whose blocks the next write takes,
/// and a small network's files grow by some kilobytes at most until their owner has made room. Twice as much ends it.
pub const STATE_ROOM_BYTES: u64 = 64 * 1024;

/// A helper of the agent's root part (the host's reboot command, a speedtest, a look at the mounts) is ended after this: `systemctl
/// reboot` returns at once, a speedtest ends itself sooner, and a hung one must not block the next for ever.
pub const HELPER_MS: u64 = 90_000;

/// No exchange of a download, and then of an upload, is begun after this, and each ends within it.
pub const SPEEDTEST_PHASE: Duration = Duration::from_secs(10);

/// A speedtest server that sends or takes nothing for this long is an error.
pub const SPEEDTEST_IDLE: Duration = Duration::from_secs(5);

/// The first exchange of a speedtest's stream; each that took under half a second is followed by one twice as large.
pub const SPEEDTEST_FIRST_BYTES: u64 = 64 * 1024;

/// The largest exchange: at a gigabit a second half a second, and what is under way at the end does not count.
pub const SPEEDTEST_LARGEST_BYTES: u64 = 16 * 1024 * 1024;

/// A speedtest that says nothing for so long is gone: it speaks before every exchange, and none lasts longer than [`SPEEDTEST_PHASE`].
pub const SPEEDTEST_SILENCE: Duration = Duration::from_secs(15);

/// Parallel streams of a speedtest: one TCP connection does not fill a long fat line.
pub const SPEEDTEST_STREAMS: usize = 4;

/// Round trips of a speedtest; the median of ten is steady, and ten take under three seconds on the worst satellite line.
pub const SPEEDTEST_PINGS: usize = 10;

/// How often the agent looks at the host's mounts: they fill slowly, and a look is a process.
pub const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Mounted file systems that are told: a phone shows no more.
pub const DISKS: usize = 32;

/// Time of each thing that a look asks (the size of a mount, a sensor, a file of the host's own `/proc`): what answers at all does so at once.
pub const LOOK_JOB: Duration = Duration::from_secs(2);

/// Things of one look that may hang: behind each a thread goes on with the rest, and all of them end with the look, after 8 s.
pub const LOOK_HUNG: usize = 4;

/// Looks that are there at once: one that waits for what hangs does not keep the next from telling the rest.
pub const LOOKS: usize = 4;

/// Figures that are older are told no more: two looks, and the time of the longest.
pub const LOOK_STALE: Duration = Duration::from_secs(70);

/// A mount point, or the reason of an absence, is told so far, in characters: a phone shows 20 of the one and three lines of the other.
pub const NAME_SHOWN: usize = 255;

/// Absences of one look that are told.
pub const MISSING: usize = 64;

/// Interfaces whose structure is told; a host with more has virtual machines or containers, and their names say so.
pub const NETS: usize = 1_000;

/// A file of `/proc` that is read of a host which is itself a container: lxcfs writes some kilobytes.
pub const PROC_BYTES: u64 = 64 * 1024;

/// One report of a helper process to the agent's front: [`DISKS`], [`MISSING`] and [`NETS`], each character escaped, are under 170 kB; Linux
/// sends 200 kB.
pub const REPORT_BYTES: usize = 192 * 1024;

/// Idle time after which a server closes a kept-alive connection between controllers; also the time for a later head on it.
pub const PEER_IDLE_MS: u64 = 15_000;

/// Idle time after which a client no longer uses a kept-alive connection: shorter than the server's, so that no request meets a closing one.
pub const PEER_POOL_IDLE_MS: u64 = 10_000;

/// Kept-alive connections to one peer: a heartbeat, a lease round and an rpc at once are three; over a wire of a second two rounds are on their
/// way at once.
pub const PEER_POOL: usize = 4;

/// Source addresses whose tries at `/join` are counted at once; when all are taken, a new one waits for the minute to pass.
pub const JOIN_SOURCES: usize = 4_096;

/// Requests of peers and of the operator that wait for the core: it takes each in well under a millisecond.
pub const INBOX: usize = 1_024;

/// Text of a `self` record: an address, a version, ids and numbers make under 1 kB.
pub const SELF_RECORD_BYTES: usize = 2 * 1024;

/// An address: a DNS name has at most 253 characters; brackets, colon and port make 261.
pub const ADDR_BYTES: usize = 261;

/// A controller's version: numbers and a git description.
pub const VERSION_BYTES: usize = 64;

/// A Telegram user name: they have at most 32 characters; room for a change of theirs.
pub const USERNAME_BYTES: usize = 64;

/// A bot token: they have about 46 characters; room for a change of theirs.
pub const TOKEN_BYTES: usize = 256;

/// Records remembered as refused for a stamp too far ahead: a node with a wrong clock has a handful, and nobody fills the memory.
pub const EARLY_RECORDS: usize = 1_024;

/// What a newer version may add to one record or command, or write as a record of a kind that this version does not know: bytes of JSON. The largest
/// record of today is under 1 kB, and a link, a name in every language or a list of thresholds fits.
pub const MORE_BYTES: usize = 4 * 1024;

/// What a room of the bot may store in a stage, its name included: bytes. With every quote escaped it is within [`MORE_BYTES`] for a version that
/// knows no such stage.
pub const STAGE_BYTES: usize = 2_000;

/// Records of kinds that this version does not know, by one writer: the leader writes for everybody, one for each of 1,000 nodes.
pub const OPAQUE_RECORDS: usize = 1_024;

/// Alert rules of which the roster says that nothing is chosen, before a holder writes no more of them in the place of rules that it never heard of: an
/// owner's own word on a rule has room beside them.
pub const RULES_TAKEN_BACK: usize = 128;

/// All of them together, of all writers, as JSON: with the roster of 1,000 nodes they must fit into one [`PEER_BODY_BYTES`].
pub const OPAQUE_BYTES: usize = 1024 * 1024;

/// A quarter of that for one writer: one member that went wild leaves room for others.
pub const OPAQUE_BYTES_OF_ONE: usize = OPAQUE_BYTES / 4;

/// A record's kind, and which of its kind it is: a word, and the text of two ids.
pub const RECORD_NAME_BYTES: usize = 160;

/// How deep that may be nested: every document around it adds some levels, and the reader of each stops at 128.
pub const MORE_DEPTH: usize = 16;

/// Seconds that an invitation, spent or not, is kept after its end: a node that was off overnight still learns that it was spent.
pub const INVITE_KEPT_S: u64 = 24 * 60 * 60;

/// Seconds that an invitation may hold, a week: a link in a chat's history must not open the network years later.
pub const INVITE_TTL_S: u64 = 7 * 24 * 60 * 60;

/// Seconds that an invitation of the bot holds at least: nobody copies a link, logs in to a server and pastes it there in less. The command line
/// may make shorter ones: its link is at hand.
pub const INVITE_LEAST_S: u64 = 60;

/// Open invitations at once: each is a record that every node keeps.
pub const OPEN_INVITES: usize = 256;

/// Joins that a seed has in hand at once: each is a dial-back of some seconds, and only who has a link gets so far.
pub const JOINS_IN_HAND: usize = 64;

/// A packet of gossip: it names some 50 members, as many changes as a burst brings, and is under 3 kB in a heartbeat.
pub const GOSSIP_PACKET_BYTES: usize = 2 * 1024;

/// Packets taken from one heartbeat; a burst has under ten.
pub const GOSSIP_FRAMES: usize = 64;

/// The name of a kind of alerts: a word or three.
pub const ALERT_KIND_BYTES: usize = 32;

/// The part of a node that an alert is about: a phone shows 20 characters of a mount point, and a screen of alerts must fit into one message.
pub const ALERT_PART_BYTES: usize = 120;

/// Parts of one kind that a node judges: as many as there are disks in its figures.
pub const ALERT_PARTS: usize = DISKS;

/// Events of one node that stand at once: one that reboots every few minutes shows the newest.
pub const ALERT_EVENTS: usize = 16;

/// Alerts of one node that stand at once: disks, inodes, trends, sensors and members with all their parts, and the others.
pub const ALERT_STANDING: usize = 5 * ALERT_PARTS + 32;

/// Name of a time zone: the longest of the IANA database has 32 characters.
pub const ZONE_BYTES: usize = 64;
/// Orders that wait at a target for the voters' word on who holds: a holder has one on its way to each node; the rest is somebody's flood.
pub const ORDERS_HELD_BACK: usize = 16;

/// Nodes that a member which does not lead may introduce at once: those that joined on the other side of a partition. More are the leader's to tell.
pub const ADDED_AT_ONCE: u32 = 16;

/// One more of these after so many milliseconds.
pub const ADD_EVERY_MS: u64 = 60_000;

/// Nodes on record, removed ones too: a thousand members, and three thousand that came and went.
pub const OWNER_RECORDS: usize = 4_096;

/// Invitations on record, used and expired ones too: those of some leaders that followed each other. They are under 600 kB.
pub const INVITES: usize = 2_048;

/// How far above the held number of a voter record another one may be. A change takes two numbers; a network that changes its voters every minute
/// needs a year for as many.
pub const VOTERS_LEAP: u64 = 1 << 20;

/// Commands that are open here at once, taken or kept for others: at ten presses a minute more than the hours that Telegram keeps them.
pub const OPEN_COMMANDS: usize = 1_024;

/// A body up to here is taken without a place: heartbeats, orders and most announcements are under 10 kB.
pub const SMALL_BODY_BYTES: u64 = 64 * 1024;

/// Larger bodies of one member at once: an exchange of records, and the commands that it passes on.
pub const LARGE_BODIES_OF_ONE: usize = 2;

/// Larger bodies at once, of all members: with what is read from them they stay under what a small server has left.
pub const LARGE_BODIES: usize = 8;

/// The name of a person who pressed a button under an alert: Telegram's user names have at most 32 characters.
pub const ALERT_BY_BYTES: usize = 64;

/// How long the record of an alert is kept after it was last written: `/alerts` shows a week, and a node that was off for so long learns nothing by it.
pub const ALERT_KEPT_MS: u64 = 7 * 24 * 3_600_000;

/// Alerts that a holder opens records for at once, all nodes together: every node of a network of 200 down, each with an alert of its own before. What is
/// beyond is told when there is room.
pub const ALERTS: usize = 512;

/// Nodes that one request asks a witness about: half of the largest network; beyond, the next request asks.
pub const WITNESSED: usize = 512;
