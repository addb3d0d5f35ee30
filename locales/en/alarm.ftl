# What is wrong (uzel status, notifications) and what to do. Names and telephones never stand here.

alarm-detail = { $detail }

alarm-pipeline-failed = Processing has stopped by an error
alarm-pipeline-failed-next = What comes is taken and will not be lost. Restart the service. If it happens again, make the data anew: uzel rebuild
alarm-pipeline-stuck = Processing stands still although { $lag ->
    [one] { $lag } entry waits
   *[other] { $lag } entries wait
} in the journal
alarm-pipeline-behind = Processing does not keep up: { $lag ->
    [one] { $lag } entry waits
   *[other] { $lag } entries wait
} in the journal
alarm-pipeline-behind-next = If history is being loaded, wait. Else look at the load of disk and processor; if nothing moves, restart the service
alarm-intake-refused = Intake has stopped: the journal takes nothing. Senders are answered 503 and try again
alarm-intake-refused-next = Free some disk space (the mark is free_space_mib in [limits]). If there is space, the disk has failed: restart the service and check the journal, uzel journal verify
alarm-disk-low = { $free_mib } MiB are left on the disk; at { $mark_mib } MiB intake stops
alarm-disk-low-next = Free some space, or say how long the journal is kept: journal_days in [keep]; what would go: uzel retention
alarm-clock-behind = The clock is { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
} behind the time of the journal
alarm-clock-jumped = The clock leapt forward by { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}
alarm-clock-jumped-back = The clock leapt back by { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}
alarm-clock-next = Check that time is synchronised: timedatectl. Deadlines and ages are counted by this clock
alarm-rights-lost = No access to { $connection }: the permission was withdrawn or has run out
alarm-rights-lost-next = Give it again: uzel connect { $connection }
alarm-sink-refuses = { $sink } does not let us in: settings or rights are wrong
alarm-sink-refuses-next = Check address and rights of the connection { $sink }. Nothing is lost: it waits in the queue, uzel outbox list --sink { $sink }
alarm-sink-stopped = { $sink } does not answer, nothing is passed on
alarm-sink-stopped-next = Check whether { $sink } works. We go on trying; nothing is lost: it waits in the queue, uzel outbox list --sink { $sink }
alarm-dead-letters = { $sink } does not take { $count ->
    [one] { $count } object
   *[other] { $count } objects
}: a person is needed
alarm-dead-letters-next = See the reasons: uzel outbox list --sink { $sink } --state dead. Once mended, send again: uzel outbox resend
alarm-quarantine = { $count ->
    [one] { $count } record
   *[other] { $count } records
} went into quarantine within a day
alarm-quarantine-many = { $count } records or more went into quarantine within a day
alarm-quarantine-next = See the reasons: uzel quarantine list. Once the mapping is mended, try again: uzel quarantine retry
alarm-source-unread = { $connection } cannot be read
alarm-source-unread-next = See the reason: uzel source list. What was missed is read by itself once { $connection } answers
alarm-source-silent = { $connection } is silent: no data for { $hours ->
    [one] { $hours } hour
   *[other] { $hours } hours
}
alarm-source-silent-next = Send a lead to try it, or look at the other side. If it is meant to be so, change silence_h of { $connection }
alarm-folder-unreadable = The folder of the connection { $connection } cannot be read
alarm-folder-unreadable-next = Check that the folder is there and the service may read it: uzel folder list
alarm-snapshot-old = No snapshot of the data was made for long
alarm-snapshot-damaged = The snapshot { $file } is damaged
alarm-snapshot-next = Make a snapshot: uzel snapshot make. To check all: uzel snapshot verify
alarm-backup-old = The newest backup is { $days ->
    [one] { $days } day
   *[other] { $days } days
} old, or there is none
alarm-backup-old-next = Make a backup on another disk: uzel backup make
alarm-notify-failed = Notifications do not get out: { $channel }
alarm-notify-failed-next = Check the settings [notify] and send one for trial: uzel notify test
alarm-heartbeat-failed = The watch service does not take our heartbeat
alarm-heartbeat-failed-next = Check the address in [heartbeat]
alarm-employee-ids = { $connection } does not have { $count ->
    [one] { $count } employee
   *[other] { $count } employees
} of rules/employees.toml, or they were dismissed there: leads do not reach them
alarm-employee-ids-next = See who it is: uzel employees. Correct ids in rules/employees.toml, or write down the last day of work
alarm-tasks-overdue = { $count ->
    [one] { $count } task is
   *[other] { $count } tasks are
} late
alarm-tasks-overdue-next = See them: uzel task list --state overdue
alarm-certificate-none = There is no certificate of HTTPS: forms, 1C and browsers cannot connect
alarm-certificate-ended = The certificate of HTTPS has run out: forms, 1C and browsers refuse to connect
alarm-certificate-ends-today = The certificate of HTTPS runs out in less than a day
alarm-certificate-ends = The certificate of HTTPS runs out in { $days ->
    [one] { $days } day
   *[other] { $days } days
}
alarm-certificate-failed = A new certificate of HTTPS cannot be had; the present one holds for { $days ->
    [one] { $days } day
   *[other] { $days } days
}
alarm-certificate-ordered-next = Uzel orders it by itself and goes on trying. The reason is in uzel status; once it is mended, try at once: systemctl reload uzel
alarm-certificate-files-next = Put a new one in place of the old: the files certificate and key of [listen.tls]. Uzel takes them by itself
alarm-relay-stopped = The relay { $host } does not answer: what it takes does not arrive
alarm-relay-stopped-next = Nothing is lost: what it took lies there, and we go on trying. Look at uzel relay status on that machine, and at the link to it
alarm-relay-refuses = Nothing can be pulled from the relay { $host }: a person is needed
alarm-relay-refuses-next = What to do is said by uzel relay status. Nothing is lost: what it took lies there
alarm-relay-behind = { $waiting ->
    [one] { $waiting } message waits
   *[other] { $waiting } messages wait
} at the relay { $host }: pulling does not keep up
alarm-relay-behind-next = Check the link to the relay, the load of this machine and the disk of the relay: uzel relay status on both
alarm-relay-lost = Some of what the relay { $host } took may not have arrived
alarm-relay-lost-next = What to bring back, and from where, is said by uzel relay status. Once that is done, restart the service: this goes away then
alarm-words-missing = { $sink } does not have { $count ->
    [one] { $count } name
   *[other] { $count } names
} of stages, pipelines or sources that come to us: these fields are left out, deals take the first stage
alarm-words-missing-next = Give them the same names in the CRM, or add pairs to mappings/{ $connector }/*.out.toml (a copy in the daemon's folder). The names are read every 10 minutes
alarm-words-missing-list = Left out: { $list }
