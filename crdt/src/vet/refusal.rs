//! Why bytes are no change that kith could have written.

/// What is wrong with a change: whoever signed it, nobody merges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Above the limit of bytes.
    #[error("the change is longer than 16 MiB")]
    TooLong,
    /// The bytes end early.
    #[error("the bytes end before the change does")]
    Short,
    /// Bytes are left over.
    #[error("bytes follow after the end of the change")]
    Trailing,
    /// The first four bytes.
    #[error("the bytes do not begin like an automerge chunk")]
    NoChunk,
    /// A document, a compressed change or a bundle.
    #[error("the chunk is not an uncompressed change (its type is {0}, not 1)")]
    ChunkType(u8),
    /// The checksum is not that of the content.
    #[error("the checksum does not fit the content")]
    Checksum,
    /// A number in more bytes than it needs, or above its range.
    #[error("a number is not written in its shortest form")]
    Number,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// Above the limit of direct ancestors.
    #[error("the change builds on more than {0} others")]
    ManyDeps(usize),
    /// Ancestors out of order.
    #[error("the changes that it builds on are not in ascending order")]
    DepsOrder,
    /// An actor that is not 16 bytes.
    #[error("an actor is not 16 bytes long")]
    ActorLength,
    /// Actors out of order, twice, or the author among them.
    #[error("the other actors are not in ascending order, each once")]
    ActorsOrder,
    /// An actor that nothing refers to.
    #[error("an actor is listed that no operation refers to")]
    ActorUnused,
    /// A sequence number outside its range.
    #[error("the sequence number is not between 1 and 2147483647")]
    Sequence,
    /// An operation counter outside its range.
    #[error("the operation counters are not between 1 and 2147483647")]
    Counter,
    /// A time outside its range.
    #[error("the claimed time is not between the years 1970 and 9999")]
    Time,
    /// A commit message.
    #[error("the change carries a message")]
    Message,
    /// A column that kith does not write, or out of order, or empty, or deflated.
    #[error("column {0} is unknown, empty, deflated or out of order")]
    Column(u32),
    /// Runs that an encoder would have joined or left out.
    #[error("a column is not written in its shortest form")]
    ColumnForm,
    /// Columns of different length.
    #[error("the columns do not have the same number of rows")]
    ColumnRows,
    /// Nothing to do.
    #[error("the change holds no operation")]
    Empty,
    /// Above the limit of operations.
    #[error("the change holds more than {0} operations or references")]
    ManyOperations(usize),
    /// An action that kith does not write.
    #[error("action {0} is not one of: make a map, set, make a list, delete")]
    Action(u64),
    /// A value that is not text, or stands where none may.
    #[error("a value is not text, or stands where there is none")]
    Value,
    /// A key that is half a map's and half a list's.
    #[error("a key is neither a name nor a place in a list")]
    Key,
    /// A reference that is half there, to no actor, to itself or to what comes later.
    #[error("an operation refers to something that cannot come before it")]
    Reference,
    /// What it replaces is not at the same place.
    #[error("an operation replaces what stands somewhere else")]
    Replaces,
    /// The references of an operation out of order.
    #[error("what an operation replaces is not in ascending order")]
    ReplacesOrder,
    /// Something at the root that is not the making of a resource.
    #[error("at the root only resources are made")]
    Root,
    /// A resource under an id that is not its own.
    #[error("a resource is made under an id that is not derived from its author and place")]
    ResourceId,
    /// A resource without its `$`.
    #[error("a resource is made without what is written once about it")]
    NoMeta,
    /// Something in a resource that kith does not write.
    #[error("in a resource stand only texts, lists of texts and the members that kith writes")]
    Member,
    /// A member of kith's own that cannot be read.
    #[error("a member that kith writes does not read as such")]
    MemberForm,
    /// Something in a list that is not text, or edits what the same change inserts.
    #[error("a list holds only texts, and no change edits an item that it inserts")]
    Item,
    /// Carried elements that are not the first write of an epoch.
    #[error("only the first change of an epoch carries elements over, and then all of them")]
    CarryOver,
}
