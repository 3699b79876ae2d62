"""The simulation: the real cores in a world of simulated clock, network and disk.

``make simulate`` plays many seeded stories (``SEEDS=10000``), ``make simulate SEED=n`` one of them with its trace, and
``make mutants`` lets it look for deliberate mistakes. The same seed is the same story, whatever the order of hashes.

The world (``scene.py``). One thread, one heap of things to happen (``agenda.py``), one random number generator. The
broker is ``turns.Turns`` over the memory store, each client the client's core over a notebook, with the turns of
``client.py`` (``device.py``). One story in fifty has the real SQLite store and real journals instead. Some stories have
small limits, so that windows fill.

What happens (``story.py``). Devices register, log in, write to rooms and people, those that exist and those that don't,
now and then more than a window at once; they join and leave rooms, ask questions, and revoke one another; further
devices come; somebody types a wrong password, or changes it; in one story in ten messages are kept for seconds only.

Faults, some of them in each story:

network  frames are slow, lost or doubled (those that may be: ``network.py``); a connection is cut, and the broker
         hears of it at once, late, or never, while what was on its way is lost or still arrives; one direction goes
         dead without a word; a client roams to another address; somebody asks, and is gone before the answer
client   it is stopped for a while, or dies at any step between its journal and its network, and starts again from its
         journal; somebody says good-bye, and comes back
broker   it dies at any step (``Scene.point``): before it handles, hands over or commits, after a commit, between any
         two frames; or it is closed. Some connections live through that without a word
disk     late, full, down; a commit of unknown outcome, kept or not; what a dead broker had handed in is there, is
         lost, or is carried out later (``disk.py``)
clocks   the clock on the wall is set; passwords take long
past     the store is copied now and then, and a copy is put in its place: the last one, one from before, the same one
         twice, or one by hand, under the old epoch. Or folders are copied, and both copies live, and old copies are put
         in their place. Not both in one story: what was said under a number that two copies had, neither gives back
words    after all faults somebody speaks and dies with the broker, and what they said is stored later, in silence

Laws are checked at every step, at the borders, by a checker that keeps its own books: ``invariants.py`` has the list,
I1 to I10, ``timeline.py`` the book of the store, which is copied and put back with it, ``seen.py`` that of a folder.
Then the faults stop; a while later everything must have arrived (``ending.py``), and after that nothing may happen but
signs of life.

A checker is as good as what it catches: ``mutants.py`` makes mistakes in a copy of the program, and each of them must
be found, as the breaking of a law, within a stated number of stories.
"""
