"""Every limit that both sides keep, its unit last in its name and its reason beside it."""

KIB = 1024

# A version is two numbers. Another major version cannot be talked to; a minor one only adds.
MAJOR_VERSION = 1
MINOR_VERSION = 0

# One ZeroMQ part. libzmq cuts the connection at a larger one, so senders stay below FRAME_BYTES.
PART_BYTES = 64 * KIB
# What a sender packs into one frame at most: leaves room for the largest single message after it.
FRAME_BYTES = 40 * KIB

# Four screens of text. Longer things are files.
BODY_BYTES = 16 * KIB
ENC_CHARS = 16
# What a message is changed to: a message's length, less what says which message it was.
EDIT_BYTES = BODY_BYTES - 256
# A reaction is a sign or a short word.
SIGN_CHARS = 16
# Former texts of one message that an edit or a deletion names: each is read from the disk in the turn that stores it,
# and those that an earlier edit named are withheld already. And devices that one receipt names.
REMARK_MESSAGES = 4
RECEIPT_DEVICES = 50
# So long after a message its author may change it or take it back: what was said yesterday stands.
REMARK_MS = 24 * 60 * 60 * 1000

# Names are typed by hand and shown in a column.
NAME_CHARS = 32
# A log is "@", "+" or "#" and a name. As typed a name may be longer than composed, up to three signs for one letter;
# so a name a little too long is refused as a bad name, not as a malformed frame.
LOG_CHARS = 1 + 3 * NAME_CHARS
# One line above what is said in a room.
TOPIC_CHARS = 256
# A sentence that says what happened, what was not done and what to do next, with its places filled.
TEXT_CHARS = 512

# A device's id: 80 random bits in base32. Two of a billion devices meet once in a million worlds.
DEVICE_CHARS = 16

# Visits of a device that are remembered, of those in which it sent something: copies of a folder meet sooner.
DEVICE_VISITS = 8

# What a person calls a device, and the network address that it was seen at: a column of a list each.
DEVICE_NAME_CHARS = 64
ADDRESS_CHARS = 64

# Numbers fit a signed 64-bit integer, as SQLite keeps them.
NUMBER_MAX = 2**63 - 1

# An envelope's time ends a day before the year 10000, so that calendars can show it wherever the reader lives.
LAST_AT_MS = 253_402_214_400_000

# Envelopes on their way to a session, or sends on their way to the broker, that nobody has confirmed yet.
# Fewer than both high-water marks (transport), so that ZeroMQ never has to drop or to block.
WINDOW_MESSAGES = 256
WINDOW_BYTES = 512 * KIB

# Messages in one Post or one run of a Deliver: a quarter of a window, so that a window moves in steps.
PACK_MESSAGES = 64

# What one account may gather. Each list is read at every login and must stay small.
ACCOUNT_ROOMS = 100
ACCOUNT_CONTACTS = 200
ACCOUNT_DEVICES = 50
# Logs that one session reads: all rooms, of which the lobby is one, the mailbox and the receipts.
SESSION_LOGS = ACCOUNT_ROOMS + 2

# Names in one list of an answer; two such lists of the longest names fit one part. More are counted, not listed:
# nobody reads them.
LISTED_NAMES = 200

# Rooms in one list; then one asks for the rest. A list of the longest names and topics fits one part.
LISTED_ROOMS = 30
# Members of a room that are counted for such a list: more is many.
COUNTED_NAMES = 300

# Invitations of an account that nobody has answered. They are told at every login.
INVITED_ROOMS = 20

# One page of history: about a screen or three.
PAGE_MESSAGES = 100

# The credential of scheme a2split1 is 32 bytes; the field leaves room for other schemes.
CREDENTIAL_BYTES = 256

# A permit as typed, with room for blanks, dashes and other ways of writing it.
PERMIT_CHARS = 64
# Accounts that are made with one permit, whose names stand in its record.
PERMIT_NAMES = 1000

# An idle client says Ping this often; so a broken link is noticed, and a restarted broker hears of it.
PING_S = 10.0
# A session that was silent for so long is forgotten. Three pings, so that one lost packet costs nothing.
SILENCE_S = 30.0
# The longest that a broker may ask a client to wait before it tries again; after more than that nobody waits.
RETRY_S = 3600.0
