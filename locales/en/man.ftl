## man: pages of the manual and completion of shells
man-manual = Manual of Uzel
man-name = Name
man-synopsis = Synopsis
man-see = See also
man-exit = Exit status
man-exit-1-term = 0
man-exit-1 = Done.
man-exit-2-term = 1
man-exit-2 = Failed.
man-exit-3-term = 2
man-exit-3 = The command line does not read.
man-exit-4-term = 3
man-exit-4 = Problems or differences were found (lint, journal verify, rebuild --check, replay --diff, probe, init, demo --once).
man-exit-5-term = 4
man-exit-5 = There is no such thing.
man-variable = Environment
man-variable-1-term = UZEL_FOLDER
man-variable-1 = Folder of the daemon when --folder is not given.
man-variable-2-term = UZEL_LANG
man-variable-2 = Language of messages: ru or en. Else it comes from LC_ALL, LC_MESSAGES, LANG.
man-variable-3-term = UZEL_LOG
man-variable-3 = How much is logged: warn, info, debug.
man-variable-4-term = UZEL_SECTION_SETTING
man-variable-4 = A setting in place of what uzel.toml says: UZEL_LISTEN_ADDRESS.
man-variable-5-term = UZEL_SECRET_CONNECTION_SETTING
man-variable-5 = A secret of a connection in place of what vault.json holds.
man-file = Files
man-file-1-term = uzel.toml
man-file-1 = Settings. This file and all others are in the folder of the daemon; usually /var/lib/uzel.
man-file-2-term = vault.json
man-file-2 = Secrets; only the owner reads them.
man-file-3-term = connectors/, mappings/, rules/
man-file-3 = Your own manifests, mappings and rules in place of the built-in ones.
man-file-4-term = journal/
man-file-4 = Everything that came, as it came: the truth of the data.
man-file-5-term = store/
man-file-5 = The store; it can always be made anew from the journal.
man-file-6-term = snapshots/
man-file-6 = Snapshots of the store.
man-written = { $pages ->
    [one] { $pages } page written: { $folder }
   *[other] { $pages } pages written: { $folder }
}
