# What fish completes for restante-broker; made from its own options by: make share
complete -c restante-broker -f
complete -c restante-broker -s a -l address -x -a '(__fish_print_hostnames)' -d 'address to listen on (all)'
complete -c restante-broker -s p -l port -x -d 'port to listen on; 0 takes a free one (7777)'
complete -c restante-broker -l local-limits -d 'hold this machine\'s own clients to the limits for addresses too'
complete -c restante-broker -l registration -x -a 'open closed' -d 'may anyone register? (open)'
complete -c restante-broker -l demo-accounts -d 'make six accounts to play with'
complete -c restante-broker -l data -x -a '(__fish_complete_directories)' -d 'folder for everything (RESTANTE_DATA, or the platform\'s)'
complete -c restante-broker -l keep -x -d 'forget messages older than 90d, 12h … (never)'
complete -c restante-broker -l keep-bytes -x -d 'and the oldest beyond 500M, 20G … (no limit)'
complete -c restante-broker -l log-level -x -a 'debug info warning error' -d 'what goes into broker.log (info)'
complete -c restante-broker -s h -l help -x -a 'backup restore verify export import commands network registration disk general all' -d 'what there is to say; TOPIC is one of the words on the left, or all'
complete -c restante-broker -l lang -x -a 'en ru' -d 'language of all texts (the locale\'s)'
complete -c restante-broker -l version -d 'which release this is'
complete -c restante-broker -n 'not __fish_seen_subcommand_from backup restore verify export import' -a backup -d 'make a copy in FILE, also while the broker runs'
complete -c restante-broker -n 'not __fish_seen_subcommand_from backup restore verify export import' -a restore -d 'put the copy FILE in place; what was there is kept beside it'
complete -c restante-broker -n 'not __fish_seen_subcommand_from backup restore verify export import' -a verify -d 'look whether FILE, or the broker\'s own, is whole'
complete -c restante-broker -n 'not __fish_seen_subcommand_from backup restore verify export import' -a export -d 'write everything as lines of JSON to FILE, or to standard output'
complete -c restante-broker -n 'not __fish_seen_subcommand_from backup restore verify export import' -a import -d 'make a store of exported lines from FILE, or from standard input'
complete -c restante-broker -n '__fish_seen_subcommand_from backup' -F
complete -c restante-broker -n '__fish_seen_subcommand_from restore' -F
complete -c restante-broker -n '__fish_seen_subcommand_from verify' -F
complete -c restante-broker -n '__fish_seen_subcommand_from export' -F
complete -c restante-broker -n '__fish_seen_subcommand_from import' -F
