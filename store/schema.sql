-- The broker's store, schema 3. Numbers of the program's own are integers; times are Unix ms.

-- The broker's id. A copy says ``copied`` until it is opened: then it begins another epoch. ``open``: a broker works on
-- it, or died; there is a log beside it then, and without that another epoch begins, too.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

-- An account's mailbox (@account) or a room's log (#room). The head is a column and not max(seq) of what is
-- kept: it must survive trimming.
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first INTEGER NOT NULL,  -- the lowest seq that is kept
    head INTEGER NOT NULL,   -- the highest seq there ever was
    crc INTEGER NOT NULL     -- CRC32 of all that stands before it but the id
);

-- One installation of an account: its last send number is what tells a new send from a repeated one.
CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL,
    visits BLOB NOT NULL,    -- in which of its visits its last sends were made, as the core packs it
    crc INTEGER NOT NULL     -- as a log's
);

-- Why the last sends of a device were refused, as long as it may ask.
CREATE TABLE refusal (
    device INTEGER NOT NULL,
    n INTEGER NOT NULL,
    code TEXT NOT NULL,
    sentence TEXT NOT NULL,
    crc INTEGER NOT NULL,    -- CRC32 of all that stands before it, as MessagePack
    PRIMARY KEY (device, n)
) WITHOUT ROWID;

-- Envelopes of one turn, one behind the other, each with its CRC32 behind it.
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    refs INTEGER NOT NULL,  -- in how many places of slices it is named: at none it goes
    body BLOB NOT NULL
);

-- What one turn added to one log: seqs first, first + 1, … lie at these places.
CREATE TABLE slice (
    log INTEGER NOT NULL,
    first INTEGER NOT NULL,
    segment INTEGER NOT NULL,  -- the turn's first segment: places count from it
    places BLOB NOT NULL,      -- for each seq: segment, start, size; 16 bits each, little-endian
    crc INTEGER NOT NULL,      -- CRC32 of log, first, segment and places
    PRIMARY KEY (log, first)
) WITHOUT ROWID;

-- How far a device has read a log, as far as the broker knows.
CREATE TABLE cursor (
    device INTEGER NOT NULL,
    log INTEGER NOT NULL,
    pos INTEGER NOT NULL,
    crc INTEGER NOT NULL,    -- as a refusal's
    PRIMARY KEY (device, log)
) WITHOUT ROWID;

-- Lines of time, in order: another one begins when a copy is put in place of the store.
CREATE TABLE epoch (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    crc INTEGER NOT NULL     -- as a refusal's
);

-- The head of each log when an epoch began: what is above belongs to that epoch.
CREATE TABLE base (
    epoch INTEGER NOT NULL,
    log INTEGER NOT NULL,
    head INTEGER NOT NULL,
    crc INTEGER NOT NULL,    -- as a refusal's
    PRIMARY KEY (epoch, log)
) WITHOUT ROWID;

-- Accounts, rooms, memberships: whatever the core keeps under a name. Keys ascend by code point.
CREATE TABLE record (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    crc INTEGER NOT NULL     -- CRC32 of the value, begun with that of the key
) WITHOUT ROWID;
