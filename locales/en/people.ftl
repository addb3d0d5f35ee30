## Employees and distribution
people-key = "{ $key }" cannot be a key. Use a-z, 0-9, _ and -, at most 24 characters, for instance: ivanova
people-key-twice = the key "{ $key }" is taken. Give everybody his own.
people-many = there are more than { $max } entries in "{ $name }". Take some away.
people-unreadable = "{ $text }" does not read as { $name }. Correct it or take it away.
people-dates = the time ends on { $to }, before it begins: { $from }. Swap the dates.
people-connection = there is no connection "{ $word }"; did you mean "{ $near }"?
people-connection-list = there is no connection "{ $word }". There are: { $known }.
people-employee = there is no employee "{ $word }"; did you mean "{ $near }"?
people-employee-list = there is no employee "{ $word }". There are: { $known }.
people-shift = there is no shift "{ $word }"; did you mean "{ $near }"?
people-shift-list = there is no shift "{ $word }". There are: { $known }.
people-group = nobody is in the group "{ $word }"; did you mean "{ $near }"?
people-group-list = nobody is in the group "{ $word }". Groups of the employees: { $known }.
people-region = there is no region "{ $word }"; did you mean "{ $near }"?
people-region-list = there is no region "{ $word }". There are: { $known }.
people-code = "{ $text }" does not fit { $name }: write digits, for instance 495 for a telephone or 77 for an INN.
people-circle = deputies go in a circle: { $path }. Break it.
people-shared = { $what } also belongs to { $other }, and both work at the same time. Leave it with one or say valid_from and valid_to.
people-rule-unreachable = no lead gets as far as this rule: the one before takes everything. Put the rule without conditions last.
people-untouched-order = the step after { $after } minutes is out of order. Put the steps in order of time.
people-left-head = the head { $name } left on { $to } and gets nothing any more. Name another head.
people-left-duty = { $name } of duty left on { $to }. Take him out of duty.
people-left-deputy = the deputy of { $of }, { $name }, left on { $to }. Name another deputy.
people-no-head = there is no head: a lead that nobody can take stays without a responsible. Name one.
people-group-unused = no rule of distribution names the group "{ $group }": its employees get no new leads. Add [[rule]] with to = "{ $group }".
people-group-left = nobody of the group "{ $group }" is left: its leads go to the head. Add employees.
people-unknown = there is no employee "{ $text }" in rules/employees.toml; the responsible stays as it is written. Add him there with what the connection { $connection } calls him.

people-own = the client belongs to { $name }
people-own-unknown = the client belonged to "{ $text }", who is no employee
people-rule = the rule on line { $line }: group "{ $group }"
people-no-rule = no rule fits
people-turn = { $name }: next in turn in the group "{ $group }"
people-next-shift = nobody of the group "{ $group }" is on shift, the lead waits until { $opens }
people-off-duty = nobody of the group is on shift, { $name } is on duty
people-not-yet = { $name } begins only on { $from }
people-absent = { $name } is away through { $to }
people-absent-why = { $name } is away through { $to }: { $why }
people-dismissed = { $name } works here no more, the last day was { $to }
people-full = { $name } misses a turn: { $open } open deals, the cap is { $cap }
people-deputy = { $name } stands in
people-duty = { $name } is on duty
people-group-empty = nobody of the group "{ $group }" can take it
people-head = the head { $name }
people-nobody = there is nobody to take it. Name a head in rules/employees.toml
people-untouched = nobody began with the lead in time, { $name } holds it

people-hand-over = hand his open deals over: { $count }
people-user-unknown = { $connection } has no user { $id }: correct ids in rules/employees.toml
people-user-near = { $connection } has no user { $id }; by name it is { $near }: correct ids in rules/employees.toml
people-user-dismissed = in { $connection } user { $id } was dismissed: write down the last day (valid_to) or a valid id in rules/employees.toml
people-at-cap = the cap is reached, no new leads

preview-summary = Leads of { $days ->
    [one] { $days } day
   *[other] { $days } days
}: { $leads }; under the other rules { $changed } would have gone otherwise
preview-nobody = nobody
preview-fate-new = new deal
preview-fate-repeat = repeat deal
preview-fate-joined = into an open deal
preview-fate-returned = back into a lost one
preview-fate-no-deal = no deal
preview-fate-filtered = set aside
preview-fate-quarantined = quarantine
preview-fate-discarded = given up
preview-fate-repeated = repetition

cli-employees = Employees: who is here, who is on shift, how many open deals
cli-employees--group = Only this group
cli-employees-example-1 = uzel employees --group Moscow
cli-rules = Rules of deals and distribution
cli-rules-preview = Leads of the last days under other rules: into which deals and to whom; nothing is changed
cli-rules-preview--days = How many days
cli-rules-preview--rules = Folder of other rules: distribution.toml, employees.toml, business.toml; without it the files of the daemon's folder as they are now
cli-rules-preview--changed = Only leads that would have gone otherwise
cli-rules-preview--limit = How many lines to show; all leads are counted
cli-rules-preview-example-1 = uzel rules preview --days 30                    edited files before a restart
cli-rules-preview-example-2 = uzel rules preview --days 7 --rules new-rules/ --changed
cli-deal-assigned = Given by the rules to: { $name }, { $at }
cli-presence-on-shift = on shift
cli-presence-here = works
cli-presence-absent = away
cli-presence-dismissed = has left
cli-presence-not-yet = not yet here
cli-column-employee-key = Key
cli-column-employee = Employee
cli-column-employee-until = Until / shift from
cli-column-employee-groups = Groups
cli-column-open-deals = Deals
cli-column-deputy = Deputy
cli-column-employee-step = To do
cli-column-lead-fate = Fate
cli-column-lead-was = Was
cli-section-fates = What became of them
cli-section-taken = Who got the new deals
cli-section-leads = Leads
