//! S3 and S4: torn writes, damaged files, permissions, two controllers, and starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use constella_shared::ids::NetworkId;
use constella_shared::secret::Secret;
use constella_shared::wire::records::VoterRecord;

use super::*;

fn network(secret: &str) -> NetworkState {
    NetworkState {
        format: STATE_FORMAT,
        network_id: NetworkId([1; 32]),
        owner_username: "owner".into(),
        network_secret: Secret::new(secret.into()),
        secret_generation: 1,
        own_token: None,
        peers: Vec::new(),
        records: Vec::new(),
        voters: VoterRecord::default(),
        more: constella_shared::wire::more::More::none(),
    }
}

fn invites() -> InvitesState {
    InvitesState { format: STATE_FORMAT, invites: Vec::new(), more: constella_shared::wire::more::More::none() }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn filled(folder: &Path) -> State {
    let state = State::open(&folder.join("state")).unwrap();
    state.identity("alpha").unwrap();
    state.initialise(&network("first"), &invites()).unwrap();
    state
}

#[test]
fn s3_every_file_and_the_folder_are_private() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    state.load(1_000).unwrap();
    state.persist(&Document::Network(network("second"))).unwrap();
    assert_eq!(fs::metadata(state.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    let mut seen = 0;
    for entry in fs::read_dir(state.folder()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert!(seen >= 9, "{seen} files");
}

#[test]
fn s3_a_temporary_file_is_private_whatever_the_umask_and_whatever_lay_there() {
    // S4
    let folder = folder();
    let path = folder.path().join("x.json");
    let temp = folder.path().join("x.json.new");
    fs::write(&temp, "left by a crash").unwrap();
    fs::set_permissions(&temp, fs::Permissions::from_mode(0o666)).unwrap();
    file::replace(&path, b"new").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file::read(&path).unwrap(), b"new");
}

#[test]
fn s4_the_previous_good_copy_is_kept_beside_the_file() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    state.persist(&Document::Network(network("second"))).unwrap();
    let path = state.path(NETWORK);
    assert_eq!(state.load(0).unwrap().network, network("second"));
    let previous = fs::read(file::previous(&path)).unwrap();
    assert_eq!(serde_json::from_slice::<NetworkState>(&previous).unwrap(), network("first"));
}

#[test]
fn s4_a_write_cut_short_leaves_the_old_content() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    fs::write(state.path("network_state.json.new"), b"{\"format\":1,\"netw").unwrap();
    assert_eq!(state.load(0).unwrap().network, network("first"));
}

#[test]
fn s4_a_damaged_file_stops_the_node_and_stays_as_it_is() {
    // S4
    for (name, content) in
        [(NETWORK, "{\"format\":1,\"network_secret\":\"hush"), (INVITES, ""), (VOTE, "[]"), (COMMANDS, "\u{0}")]
    {
        let folder = folder();
        let state = filled(folder.path());
        fs::write(state.path(name), content).unwrap();
        let error = state.load(0).unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("restore the folder from a backup"), "{error}");
        fs::copy(state.path(name), file::previous(&state.path(name))).unwrap();
        assert!(error.to_string().contains("recover with: cp -p"), "there is a copy now: {error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        assert_eq!(fs::read_to_string(state.path(name)).unwrap(), content);
        assert!(!state.is_empty(), "{name}");
    }
}

#[test]
fn s4_the_way_to_recover_works() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    state.persist(&Document::Network(network("second"))).unwrap();
    fs::write(state.path(NETWORK), "torn").unwrap();
    assert!(state.load(0).is_err());
    fs::copy(file::previous(&state.path(NETWORK)), state.path(NETWORK)).unwrap();
    assert_eq!(state.load(0).unwrap().network, network("first"));
}

#[test]
fn s4_a_lost_file_is_not_taken_for_a_new_node() {
    // S4
    for name in [NETWORK, INVITES, VOTE, COMMANDS, NODE_ID, KEY, CERT] {
        let folder = folder();
        let state = filled(folder.path());
        state.load(0).unwrap();
        fs::remove_file(state.path(name)).unwrap();
        assert!(!state.is_empty(), "{name}");
        let lost = state.load(0).map(|_| ()).and_then(|()| state.identity("alpha").map(|_| ()));
        assert!(matches!(lost, Err(StateError::Missing(_))), "{name}: {lost:?}");
        assert!(matches!(state.initialise(&network("x"), &invites()), Err(StateError::NotEmpty(_))), "{name}");
    }
}

#[test]
fn an_init_cut_short_can_be_repeated_and_keeps_the_identity() {
    // S4
    let folder = folder();
    let state = State::open(folder.path()).unwrap();
    let first = state.identity("alpha").unwrap();
    let vote = VoteState {
        format: STATE_FORMAT,
        generation: Generation(0),
        term: Term(0),
        seq_reserved: Seq(0),
        starts: vec![],
        granted: None,
        more: constella_shared::wire::more::More::none(),
    };
    state.write(VOTE, &vote).unwrap();
    assert!(state.is_empty());
    assert_eq!(state.identity("other").unwrap().node, first.node);
    state.initialise(&network("first"), &invites()).unwrap();
    assert!(!state.is_empty());
}

#[test]
fn s3_a_file_open_to_others_stops_the_node_with_the_remedy() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    fs::set_permissions(state.path(NETWORK), fs::Permissions::from_mode(0o644)).unwrap();
    let error = state.load(0).unwrap_err().to_string();
    assert!(error.contains("0644") && error.contains("chmod 600"), "{error}");
}

#[test]
fn s4_a_later_format_is_named() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    fs::write(state.path(VOTE), r#"{"format":2,"anything":"else"}"#).unwrap();
    assert!(matches!(state.load(0), Err(StateError::Format { found: 2, .. })));
}

#[test]
fn two_controllers_never_share_a_folder() {
    // S4
    let folder = folder();
    let first = State::open(folder.path()).unwrap();
    assert!(matches!(State::open(folder.path()), Err(StateError::InUse(_))));
    drop(first);
    assert!(State::open(folder.path()).is_ok());
}

#[test]
fn s1_every_start_takes_a_new_generation_on_disk() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    assert_eq!(state.load(0).unwrap().vote.generation, Generation(1));
    assert_eq!(state.load(0).unwrap().vote.generation, Generation(2));
    let stored: VoteState = serde_json::from_slice(&fs::read(state.path(VOTE)).unwrap()).unwrap();
    assert_eq!(stored.generation, Generation(2));
}

#[test]
fn l1_a_restart_in_place_is_told_from_a_copy_and_from_a_restored_folder() {
    // L1
    let folder = folder();
    let state = filled(folder.path());
    assert!(!state.load(0).unwrap().in_place, "nothing ran here before");
    let earlier = fs::read(state.path(VOTE)).unwrap();
    assert!(state.load(0).unwrap().in_place);
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(state.folder()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let copied = State::open(&copy).unwrap();
    assert!(!copied.load(0).unwrap().in_place, "a copy of the folder, on the same kernel");
    fs::write(state.path(VOTE), earlier).unwrap();
    assert!(!state.load(0).unwrap().in_place, "an earlier vote.json was put back");
    let elsewhere = fs::read_to_string(state.path(LOCK)).unwrap().replacen('-', "0", 1);
    fs::write(state.path(LOCK), elsewhere).unwrap();
    assert!(!state.load(0).unwrap().in_place, "another boot of the kernel");
    assert!(state.load(0).unwrap().in_place);
}

#[test]
fn l6_starts_of_the_last_ten_minutes_are_remembered_newest_first() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    for at in [1_000, 1_100, 1_650] {
        state.load(at).unwrap();
    }
    assert_eq!(state.load(1_700).unwrap().vote.starts, vec![1_700, 1_650]);
    for _ in 0..100 {
        state.load(1_700).unwrap();
    }
    assert_eq!(state.load(1_700).unwrap().vote.starts.len(), STARTS_KEPT);
}

#[test]
fn a_write_that_fails_says_so_and_changes_nothing() {
    // S4
    let folder = folder();
    let state = filled(folder.path());
    // A folder in the place of the temporary file: it can neither be removed as a file nor be created.
    fs::remove_file(state.path("network_state.json.new")).unwrap();
    fs::create_dir(state.path("network_state.json.new")).unwrap();
    assert!(matches!(state.persist(&Document::Network(network("second"))), Err(StateError::Write { .. })));
    assert_eq!(state.load(0).unwrap().network, network("first"));
}

#[test]
fn what_a_build_of_protocol_1_cannot_read_stands_beside_the_file_and_outlives_a_restart() {
    // S7: the commit that was main before refuses a file with a field that it does not know, and would stop for good after a downgrade
    let folder = folder();
    let state = filled(folder.path());
    let plain = std::fs::read(state.path(VOTE)).unwrap();
    let mut vote: VoteState = serde_json::from_slice(&plain).unwrap();
    let holder = constella_shared::ids::LeaderKey { priority: 1, node: NodeId([2; 32]) };
    vote.granted = Some(constella_shared::state::LastGrant { holder, term: Term(4) });
    state.write(VOTE, &vote).unwrap();
    assert_eq!(std::fs::read(state.path(VOTE)).unwrap(), plain, "nothing that it does not know is in the file");
    let read = || state.read(VOTE, |vote: &VoteState| vote.format).unwrap();
    assert_eq!(read(), vote);
    // The power failed between the two files: the whole of the next write belongs to a file that never came.
    let before = std::fs::read(state.path(VOTE)).unwrap();
    state.write(VOTE, &VoteState { term: Term(5), ..vote.clone() }).unwrap();
    std::fs::write(state.path(VOTE), &before).unwrap();
    assert_eq!(read(), vote, "from the copy before");
    // A build of protocol 1 wrote the file.
    let theirs = VoteState { generation: Generation(9), granted: None, ..vote.clone() };
    std::fs::write(state.path(VOTE), serde_json::to_vec(&theirs).unwrap()).unwrap();
    assert_eq!(read(), theirs, "what stands beside it is of another time");
    // The same content without anything new is not taken for the one with it.
    state.write(VOTE, &vote).unwrap();
    state.write(VOTE, &VoteState { granted: None, ..vote.clone() }).unwrap();
    assert_eq!(read().granted, None);
}

#[test]
fn a_full_disk_has_room_for_a_document_that_does_not_grow() {
    // S4: the third copy's blocks are written over in their place
    let folder = folder();
    let state = filled(folder.path());
    state.load(0).unwrap();
    let path = state.path(VOTE);
    let inodes = || {
        let all = [path.clone(), file::previous(&path), state.path("vote.json.new")];
        let mut all =
            all.map(|path| fs::metadata(path).map(|meta| std::os::unix::fs::MetadataExt::ino(&meta)).unwrap());
        all.sort_unstable();
        all
    };
    let before = inodes();
    for start in 1..5 {
        state.load(start).unwrap();
        assert_eq!(inodes(), before, "no new file");
        assert_eq!(fs::read_to_string(file::previous(&path)).unwrap().matches("generation").count(), 1);
    }
    assert_eq!(state.load(9).unwrap().vote.generation, Generation(6));
}

#[test]
fn a_spare_with_another_name_is_not_written_over() {
    // S4
    let folder = folder();
    let path = folder.path().join("x.json");
    file::replace(&path, b"first").unwrap();
    fs::remove_file(folder.path().join("x.json.new")).unwrap();
    fs::hard_link(&path, folder.path().join("x.json.new")).unwrap();
    file::replace(&path, b"second").unwrap();
    assert_eq!(file::read(&file::previous(&path)).unwrap(), b"first");
    assert_eq!(file::read(&path).unwrap(), b"second");
    file::replace(&path, b"3").unwrap();
    file::replace(&path, b"the fourth is longer").unwrap();
    file::replace(&path, b"5").unwrap();
    assert_eq!(file::read(&path).unwrap(), b"5", "and nothing is left of a longer one");
}
