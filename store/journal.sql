-- The client's journal: one device's outbox, history and cursors.

-- Facts about this device: its id, the broker's id, the epoch of the broker's store and our era, up to which number
-- its sends are settled, its visits that the broker may name, the account's name as registered, contacts, and how it is
-- arranged (core/arrangement.py).
CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

-- What was typed. n is the device's own send number, dense, never used twice. What is settled stays for a while, for a
-- broker that is put back to an earlier state; of what was refused only the number.
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    enc TEXT NOT NULL,
    body BLOB NOT NULL,
    crc INTEGER NOT NULL
);

-- Per log: everything up to pos is in the history (or was never for us); everything up to shown was handed out.
CREATE TABLE cursor (log TEXT PRIMARY KEY, pos INTEGER NOT NULL, shown INTEGER NOT NULL) WITHOUT ROWID;

-- Where an era began in each log: what an earlier era had above may come again, in other places.
CREATE TABLE base (
    era INTEGER NOT NULL,
    log TEXT NOT NULL,
    pos INTEGER NOT NULL,
    PRIMARY KEY (era, log)
) WITHOUT ROWID;

-- What came, packed as it was delivered, and as it stands now if it was changed since; author and recipient beside it, for finding a conversation again. An era
-- is one line of time of the broker's store: above where they part, seqs of two have nothing to do with one another.
CREATE TABLE history (
    era INTEGER NOT NULL,
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    author TEXT NOT NULL,
    recipient TEXT NOT NULL,
    envelope BLOB NOT NULL,
    crc INTEGER NOT NULL,
    device TEXT NOT NULL DEFAULT '',
    n INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (log, era, seq)
) WITHOUT ROWID;
CREATE INDEX history_id ON history (device, n);

-- What came beside messages: edits, deletions, reactions. Device and n name the message that each is about.
CREATE TABLE remark (
    era INTEGER NOT NULL,
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    device TEXT NOT NULL,
    n INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (log, era, seq)
) WITHOUT ROWID;
CREATE INDEX remark_about ON remark (device, n);

-- All that came.
CREATE VIEW entry AS
    SELECT era, log, seq, envelope, crc FROM history UNION ALL SELECT era, log, seq, envelope, crc FROM remark;

-- Up to which number what a device of ours has sent to an account is there, and was read.
CREATE TABLE receipt (
    account TEXT NOT NULL,
    device TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    read INTEGER NOT NULL,
    PRIMARY KEY (account, device)
) WITHOUT ROWID;

-- Up to which place of a log somebody has looked at it: at a conversation with one account in it, or ('') at all of it.
CREATE TABLE looked (
    log TEXT NOT NULL,
    account TEXT NOT NULL,
    era INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (log, account)
) WITHOUT ROWID;

-- The words of the history, without the texts; and per log and era which seqs have been taken in. That is done when
-- somebody searches, in steps.
CREATE TABLE indexed (
    id INTEGER PRIMARY KEY,
    log TEXT NOT NULL,
    era INTEGER NOT NULL,
    low INTEGER NOT NULL,
    high INTEGER NOT NULL,
    UNIQUE (log, era)
);
CREATE VIRTUAL TABLE word USING fts5 (body, content = '', tokenize = 'unicode61 remove_diacritics 2');
