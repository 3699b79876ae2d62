"""The sentences about remarks: edits, deletions, reactions and receipts."""

from __future__ import annotations

from console.language import Sentence

EDITED = Sentence("{whom} edited: ")
NEWLY = Sentence("edited: ")
DELETED = Sentence("{author} has taken back what was said at {time}")
REACTED = Sentence("{author} reacts with {sign} to what {to} said at {time}: {text}")
UNREACTED = Sentence("{author} takes back {sign} for what {to} said at {time}: {text}")
EDITED_MARK = Sentence("edited")
RECEIPTS = {"delivered": Sentence("delivered"), "read": Sentence("read")}
TAKEN_BACK = Sentence("[taken back]")
WITHHELD = Sentence("[changed or taken back since]")
TELLS_READ = Sentence("others are told when you have read their private messages; /receipts off ends that")
TELLS_NOT_READ = Sentence("others are not told when you read their private messages; /receipts on tells them")
