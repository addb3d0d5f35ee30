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
task-check-payment = Payment { $number } of { $sum } fits several deals ({ $deals }). Name its order or invoice in it: it then joins its deal by itself
task-check-return = Return { $number } of { $sum } fits several deals ({ $deals }). Name its order in it: it then joins its deal by itself
task-check-shipment = Shipment { $number } of { $sum } fits several deals ({ $deals }). Name its order in it: it then joins its deal by itself

## task: how a task ended
task-by-person = by a person ({ $who })
task-by-person-note = { $note } ({ $who })
task-by-stage = the deal was moved on ({ $source })
task-by-responsible = the deal got another responsible ({ $source })
task-by-comment = somebody commented on the deal ({ $source })
task-by-closed = the deal was closed ({ $source })
task-by-reopened = the deal was reopened ({ $source })
task-by-document = a document was made out for the deal ({ $source })
task-by-contact = somebody got in touch with the client ({ $source })
task-by-deletion = it is no longer there, done or deleted ({ $sink })

## task: the interface
control-task-ended = task { $id } has ended already: { $result }
control-task-done = task { $id } is done
control-task-cancelled = task { $id } is cancelled

## task: help and tables
cli-task = Tasks for employees: what to do, who, until when
cli-task-list = Open tasks by deadline; or those done, cancelled, all
cli-task-list--state = Which tasks
cli-task-list--responsible = Only of this employee
cli-task-list--limit = Rows of a page
cli-task-list--after = Go on after this task
cli-task-list-example-1 = uzel task list
cli-task-list-example-2 = uzel task list --state overdue --responsible Ivanova
cli-task-show = A task in full: where it came from, how it ended, what the CRM knows of it
cli-task-show--id = Id of the task
cli-task-show-example-1 = uzel task show tsk_0000000004000
cli-task-done = Mark a task as done; in the CRM it closes by itself
cli-task-done--id = Id of the task
cli-task-done--note = What came of it
cli-task-done-example-1 = uzel task done tsk_0000000004000 --note "we meet on Monday"
cli-task-cancel = Drop a task: it need not be done
cli-task-cancel--id = Id of the task
cli-task-cancel--reason = Why
cli-task-cancel-example-1 = uzel task cancel tsk_0000000004000 --reason "wrong number"
cli-section-tasks = Open tasks
cli-column-task-due = Due
cli-column-responsible = Responsible
cli-column-task-created = Since
cli-column-task-renewals = More reasons
cli-column-task-rule = By the rule
cli-column-task-ended = Ended
cli-task-state-open = open
cli-task-state-overdue = overdue
cli-task-state-done = done
cli-task-state-cancelled = cancelled
task-by-crm = closed in { $source }
task-call-back = Call back: the client called { $number } and spoke with nobody
task-call-back-plain = Call back: the client called and spoke with nobody
