-- The client's journal: one device's outbox, history and cursors.

-- Facts about this device: its id, the epoch of the broker's store and our era,
-- the account's name as registered, contacts.
CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- What the broker has not been heard to accept. n is the device's own send number, dense, never used twice.
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    enc TEXT NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
);

-- Per log: everything up to pos is in the history (or was never for us); everything up to shown was handed out.
CREATE TABLE cursor (log TEXT PRIMARY KEY, pos INTEGER NOT NULL, shown INTEGER NOT NULL) WITHOUT ROWID;

-- What came, packed as it was delivered; author and recipient beside it, for finding a conversation again. An era
-- is the life of one store at the broker: seqs of two stores have nothing to do with one another.
CREATE TABLE history (
    era INTEGER NOT NULL,
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    author TEXT NOT NULL,
    recipient TEXT NOT NULL,
    envelope BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (log, era, seq)
) WITHOUT ROWID;
