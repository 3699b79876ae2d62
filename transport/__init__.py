"""How it is carried: sockets, the poller, signals, standard input. The only importer of zmq."""
