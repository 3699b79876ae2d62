"""What an operator does: ``broker.py COMMAND``, beside a running broker or on its folder while none runs.

``files`` has what is done with whole stores: backup, restore, verify, export, import. All else is an order, a question
to the core like a client's (core/orders.py): ``orders`` makes one of the words of a command line, and gives it to the
running broker, whose ``desk`` takes it, or does the same turns with the folder's store by itself. ``rows`` says how
answers look.
"""
