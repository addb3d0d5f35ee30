## plan: what would be written to a sink
plan-file = the plan { $path } cannot be read or written: { $detail }. Correct it, or make a new plan: uzel sync plan
plan-damaged = the plan { $path } does not read at line { $line }: { $detail }. Make a new plan: uzel sync plan
plan-unknown = there is no plan { $plan }. `uzel sync plans` lists those that there are.
plan-several = { $count } plans begin with { $plan }. Write more of the name: `uzel sync plans`.
look-given-up = the system { $sink } asks to wait again and again: the look was given up, nothing was written. Try later: uzel sync plan --look
look-failed = the look has failed: { $detail }. Nothing was written. Try again: uzel sync plan --look
sink-look-writes = a look never writes

## why a line is in a plan
plan-why-received = a record of { $connection } ({ $stream })
plan-why-command = a person's decision
plan-why-time = time passed: another score
plan-why-rules = new rules: another score
plan-why-import = a record of a large file
plan-why-attempt = an attempt to tell it

## sync: the commands
sync-no-sinks = no connection is written to. Add one in uzel.toml, for example: [connection.bitrix24]
sync-name-sink = there are several systems to write to. Name one: { $known }.
sync-no-sink = there is no system "{ $sink }" to write to. Known: { $known }.
sync-off = nothing is ever written to { $sink }: uzel.toml says mode = "off". Set mode = "observe", restart, and apply the plan again.
sync-applied-already = the plan { $plan } was applied already (position { $position }). What has gathered since: uzel sync plan
sync-overtaken = the plan { $plan } was overtaken: { $count } of its { $goes } objects changed since it was made ({ $objects }). Nothing was written. Make a new plan: `uzel sync plan { $sink }`. Or write only what still holds: `uzel sync apply { $plan } --only-unchanged`.
sync-applied = { $count ->
    [one] the plan { $plan } is applied: { $count } object goes to { $sink }, and from now on what changes goes by itself
   *[other] the plan { $plan } is applied: { $count } objects go to { $sink }, and from now on what changes goes by itself
}
sync-left-overtaken = overtaken, not written: { $count }. They wait for the next plan: uzel sync plan
sync-left-newer = gathered after the plan was made: { $count }. They wait for the next plan: uzel sync plan
sync-paused = nothing more is written to { $sink }; what changes gathers. Go on: uzel sync resume { $sink }
sync-resumed = writing to { $sink } goes on, with what has gathered
sync-not-live = nothing is written to { $sink } yet. See what would be, and apply it: uzel sync plan { $sink }
sync-next-step = To write exactly this: uzel sync apply { $plan }
sync-duration = { $hours } h { $minutes } min { $seconds } s

cli-sync = What would be written to a system, and who says that it is: plans, pauses
cli-sync-status = How each system that is written to stands
cli-sync-plan = What would be written where, and why; nothing is written
cli-sync-plan--sink = The system (the name of its connection); may be left out when there is one
cli-sync-plan--limit = Lines shown; the counts are always of everything
cli-sync-plan--action = Only lines of this action
cli-sync-plan--look = Look into the system for what would be created: what is there already is linked and changed, and the plan says so
cli-sync-plan-example-1 = uzel sync plan
cli-sync-plan-example-2 = uzel sync plan bitrix24 --action update --limit 100
cli-sync-plan-example-3 = uzel sync plan --look
cli-sync-plans = Plans that were made
cli-sync-show = A plan line by line
cli-sync-show--plan = Its name, or as much of it as is needed
cli-sync-show--limit = Lines of the page
cli-sync-show--action = Only lines of this action
cli-sync-show--after = The object where the page before ended
cli-sync-show-example-1 = uzel sync show 3f2a91c07d11 --limit 500
cli-sync-apply = Write exactly what a plan says; refused when an object changed since
cli-sync-apply--plan = Its name, as much of it as is needed, or its file
cli-sync-apply--only-unchanged = Write what still holds and leave the rest to the next plan
cli-sync-apply-example-1 = uzel sync apply 3f2a91c07d11
cli-sync-pause = Write nothing more to a system; what changes gathers
cli-sync-pause--sink = The system (the name of its connection)
cli-sync-resume = Go on writing to a paused system
cli-sync-resume--sink = The system (the name of its connection)
cli-section-plan-groups = Counts
cli-section-plan-lines = Lines
cli-column-plan = Plan
cli-column-held = Held
cli-column-waiting = To be sent
cli-column-approved = Applied
cli-column-made = Made
cli-column-looked = Looked there
cli-column-requests = Requests
cli-column-takes = Takes at least
cli-column-beyond = Left for the next plan
cli-column-action = Action
cli-column-note = Note
cli-column-fields = Fields
cli-sync-quiet = history
cli-action-create = create
cli-action-import = import, no robots
cli-action-link = link and change
cli-sync-several = (one of several)
cli-look-found = there already: { $count }
cli-action-update = update
cli-action-nothing = nothing to write
cli-action-waits = waits for another
cli-action-person = needs a person
cli-action-untold = not told
