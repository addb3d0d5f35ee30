## task: what is to be done
task-answer = Answer: the client wrote again, "{ $subject }"
task-answer-plain = Answer: another lead of the client came
task-returned = Back again: a new lead "{ $subject }" on a deal lost not long ago. Get in touch and reopen the deal
task-returned-plain = Back again: a new lead on a deal lost not long ago. Get in touch and reopen the deal
task-ambiguous = Which deal is the lead "{ $subject }" about? Open deals of the client: { $deals }. For now it stands in this one
task-ambiguous-plain = Which deal is the new lead about? Open deals of the client: { $deals }. For now it stands in this one
task-untouched = Nobody has touched this new lead for { $minutes } working minutes
task-untouched-head = Nobody has touched this new lead for { $minutes } working minutes: to the head of sales
task-check = Order { $number } of 1C fits several deals ({ $deals }), so it made its own. See whether it belongs to one of them

## task: how a task ended
task-by-person = done ({ $who })
task-by-person-note = done ({ $who }): { $note }
task-by-stage = the deal was moved on ({ $source })
task-by-responsible = the deal got another responsible ({ $source })
task-by-comment = somebody commented on the deal ({ $source })
task-by-closed = the deal was closed ({ $source })
task-by-reopened = the deal was reopened ({ $source })
task-by-contact = somebody got in touch with the client ({ $source })
task-by-deletion = deleted in { $sink }
