use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    id::{DeviceId, EventId, RecordId},
    logs::LogId,
    store::{
        ChainPosition, Item, Store, StoreError,
        conformance::{self, Harness, bytes, entry},
    },
};
use tempfile::TempDir;

use super::{
    BLOCK_LEN_MAX, DiskStore, KeySlot, Keystore, KeystoreError, RIGHTS_BLOCK_LEN_MAX, StoreKey,
    blocks,
};

struct Folder {
    place: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            place: tempfile::tempdir().expect("a folder"),
        }
    }

    fn key(&self) -> StoreKey {
        let (slots, file) = (self.path("slots"), self.path("key"));
        if slots.exists() {
            Keystore::open(&slots, &KeySlot::KeyFile(&file)).expect("the right key")
        } else {
            Keystore::create(&slots, &[KeySlot::KeyFile(&file)]).expect("a new key")
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn segment(&self) -> PathBuf {
        self.path("store/log/00000000.seg")
    }
}

impl Harness for Folder {
    type Store = DiskStore;

    fn open(&mut self) -> DiskStore {
        DiskStore::open(&self.path("store"), &self.key()).expect("the store opens")
    }
}

fn held(store: &DiskStore) -> Result<Vec<u32>, StoreError> {
    let record = RecordId::from_bytes(bytes(1));
    let document = DocumentId::first(Section::Plans, Label::general());
    let entries = store.entries(&record, &document)?;
    Ok(entries
        .into_iter()
        .map(|(_, content)| u32::from_be_bytes(content[..4].try_into().expect("a number")))
        .collect())
}

fn numbered(n: u32) -> Item {
    entry(1, Section::Plans, n, &n.to_be_bytes())
}

/// A store with five commits of one entry each, closed.
fn five_commits() -> Folder {
    let mut folder = Folder::new();
    let mut store = folder.open();
    for n in 0..5 {
        store.commit(vec![numbered(n)]).expect("a commit");
    }
    folder
}

#[test]
fn it_does_what_every_store_does() {
    conformance::run(Folder::new);
}

#[test]
fn a_lost_index_is_made_again() {
    let mut folder = five_commits();
    std::fs::remove_file(folder.path("store/index.redb")).expect("an index");
    assert_eq!(held(&folder.open()).expect("entries"), [0, 1, 2, 3, 4]);
}

#[test]
fn a_damaged_index_is_set_aside_and_made_again() {
    let mut folder = five_commits();
    std::fs::write(folder.path("store/index.redb"), b"nonsense").expect("written");
    let store = folder.open();
    assert_eq!(held(&store).expect("entries"), [0, 1, 2, 3, 4]);
    assert!(
        store
            .damage()
            .iter()
            .any(|damage| damage.place == "the index")
    );
}

#[test]
fn a_commit_torn_at_any_byte_leaves_those_before_it() {
    let folder = five_commits();
    let whole = std::fs::read(folder.segment()).expect("the segment");
    let mut other = Folder::new();
    let mut last = vec![];
    for end in (whole.len() - 150..whole.len()).rev() {
        let store = other.path("store");
        if store.exists() {
            std::fs::remove_dir_all(&store).expect("removed");
        }
        for name in ["slots", "key"] {
            std::fs::copy(folder.path(name), other.path(name)).expect("copied");
        }
        std::fs::create_dir_all(other.path("store/log")).expect("made");
        std::fs::write(other.segment(), &whole[..end]).expect("written");
        let mut store = other.open();
        last = held(&store).expect("entries");
        assert!(last == [0, 1, 2, 3] || last == [0, 1, 2], "{end}: {last:?}");
        store.commit(vec![numbered(9)]).expect("work goes on");
        assert_eq!(held(&store).expect("entries").last(), Some(&9));
    }
    assert!(!last.is_empty());
}

#[test]
fn a_flipped_bit_is_found_and_never_served() {
    let mut folder = five_commits();
    let whole = std::fs::read(folder.segment()).expect("the segment");
    for at in (100..whole.len()).step_by(13) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        std::fs::write(folder.segment(), &flipped).expect("written");
        let store = folder.open();
        let named = !store.damage().is_empty();
        match held(&store) {
            Err(StoreError::Damaged(_)) => {}
            Err(error) => panic!("{at}: {error}"),
            Ok(entries) => assert!(named && entries.len() < 5, "{at}: {entries:?}"),
        }
        drop(store);
        std::fs::write(folder.segment(), &whole).expect("written");
        std::fs::remove_file(folder.path("store/index.redb")).expect("removed");
    }
}

#[test]
fn an_index_of_another_form_is_made_again_and_is_no_damage() {
    const META: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    const ENTRIES_NOW: redb::TableDefinition<'_, &[u8; 32], u64> =
        redb::TableDefinition::new("entries");
    const ENTRIES: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("entries");
    let mut folder = five_commits();
    let path = folder.path("store/index.redb");
    let database = redb::Database::open(&path).expect("an index");
    let transaction = database.begin_write().expect("a transaction");
    let mut meta = transaction.open_table(META).expect("a table");
    meta.insert("form", 2).expect("its form");
    drop(meta);
    // A table of that form, which had values of another type.
    let known = transaction.delete_table(ENTRIES_NOW).expect("a table");
    assert!(known);
    transaction.open_table(ENTRIES).expect("another");
    transaction.commit().expect("a commit");
    drop(database);
    for _ in 0..2 {
        let store = folder.open();
        assert_eq!(held(&store).expect("entries"), [0, 1, 2, 3, 4]);
        assert_eq!(store.damage(), []);
        assert!(!path.with_extension("damaged").exists());
    }
}

#[test]
fn two_processes_never_share_a_store() {
    let mut folder = five_commits();
    let store = folder.open();
    let again = DiskStore::open(&folder.path("store"), &folder.key());
    assert!(matches!(again, Err(StoreError::InUse)));
    drop(store);
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let folder = five_commits();
    let file = folder.path("key");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("changed");
    let opened = Keystore::open(&folder.path("slots"), &KeySlot::KeyFile(&file));
    assert!(matches!(
        opened,
        Err(KeystoreError::Exposed { mode: 0o644, .. })
    ));
}

#[test]
fn only_the_right_passphrase_opens() {
    let folder = Folder::new();
    let slots = folder.path("slots");
    Keystore::create(&slots, &[KeySlot::Passphrase("correct horse")]).expect("a key");
    assert!(Keystore::open(&slots, &KeySlot::Passphrase("correct horse")).is_ok());
    let wrong = Keystore::open(&slots, &KeySlot::Passphrase("battery staple"));
    assert!(matches!(wrong, Err(KeystoreError::Wrong)));
}

#[test]
fn nothing_readable_is_on_the_disk() {
    let mut folder = Folder::new();
    let canary = b"a very recognisable canary of a patient";
    let mut store = folder.open();
    store
        .commit(vec![entry(1, Section::Plans, 1, canary)])
        .expect("a commit");
    store.put_blob(&canary.repeat(1000)).expect("a blob");
    drop(store);
    let mut files = vec![folder.path("store")];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let inside = std::fs::read_dir(&path).expect("a folder");
            files.extend(inside.map(|file| file.expect("a file").path()));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes.windows(20).any(|window| canary.starts_with(window));
            assert!(!found, "{}", path.display());
        }
    }
}

fn right(n: u32, len: usize) -> Item {
    Item::Event {
        log: LogId::Core(Some(RecordId::from_bytes(bytes(1)))),
        id: EventId::from_bytes(bytes(n)),
        bytes: vec![0; len],
        position: ChainPosition {
            device: DeviceId::from_bytes(bytes(7)),
            epoch: 0,
            seq: u64::from(n),
        },
    }
}

#[test]
fn rights_stand_apart_from_content_unless_all_is_small() {
    let content = |n, len| entry(1, Section::Plans, n, &vec![0; len]);
    let lens = |items: Vec<Item>| {
        let cut = blocks(items.clone());
        assert_eq!(cut.concat(), items, "nothing is moved");
        cut.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(lens(vec![right(1, 400), content(2, 400)]), [2]);
    let half = RIGHTS_BLOCK_LEN_MAX / 2;
    let rights = |from| (from..from + 3).map(|n| right(n, half));
    let large = vec![content(10, BLOCK_LEN_MAX / 2), content(11, 400)];
    let mixed = rights(1).chain(large).chain(rights(20)).collect();
    assert_eq!(lens(mixed), [2, 1, 2, 2, 1]);
    let long = content(30, 2 * BLOCK_LEN_MAX);
    assert_eq!(lens(vec![content(31, 1), long, content(32, 1)]), [1, 1, 1]);
}
