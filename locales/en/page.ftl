## page: the head of sales
page-title = Deals by priority
page-other-language = По-русски
page-moment = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }, { $time }
page-day = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}, { $time }
page-today = today, { $time }
page-since = since
page-health = Connections
page-all-well = Connections work
page-forecast = Forecast
page-forecast-hint = price × probability, without deals that are nearly lost
page-all = All open deals
page-all-hint = nearly lost ones included
page-deals = { $count ->
    [one] { $shown } deal
   *[other] { $shown } deals
}
page-largest = { $percent } % of the whole sum is one deal
page-unpriced = { $count ->
    [one] { $shown } deal without a price
   *[other] { $shown } deals without a price
}
page-others = in another currency: { $sums } ({ $deals })
page-left-out = { $max } deals are counted here: there is no room for more
page-counting = Deals are being counted after the start, { $shown } read. The page will come by itself.
page-tasks = Wait for a call or an answer
page-tasks-title = What waits
page-tasks-open = { $count ->
    [one] { $shown } task
   *[other] { $shown } tasks
}
page-tasks-late = { $open }, { $late } late
page-tasks-all = All tasks
page-no-tasks = Nobody waits: there are no open tasks.
page-late-minutes = late by { $shown } min
page-late-hours = late by { $shown } h
page-late-days = { $count ->
    [one] late by { $shown } day
   *[other] late by { $shown } days
}
page-classes = By class
page-class = Class
page-class-a = large: led by the head of sales
page-class-b = under control
page-class-c = ordinary
page-class-c1 = new clients
page-class-c2 = were A or B
page-class-d = less likely than usual
page-class-e = deferred or nearly lost
page-class-f = no clients, refused
page-count = Deals
page-value = Value
page-people = By responsible
page-people-more = { $count ->
    [one] and { $shown } more
   *[other] and { $shown } more
}
page-responsible = Responsible
page-nobody = Nobody responsible
page-list = Deals
page-only = Only:
page-only-class = class { $class }
page-only-forecast = in the forecast
page-only-unpriced = without a price
page-only-currency = in another currency
page-widen = Take this condition away
page-range = { $from }–{ $to } of { $of }
page-deal = Client and deal
page-reason = Leading reason
page-stage = Stage, and since when
page-sum = { $price } × { $probability } %
page-no-price = no price, { $probability } %
page-days = { $count ->
    [0] today
    [one] { $shown } day
   *[other] { $shown } days
}
page-no-deals = There are no open deals yet. They appear with the first lead from the site, from 1C or from the CRM. If leads come and nothing is here, ask the administrator to look at the connections: uzel status.
page-none-fit = There are no such deals. Take the condition away to see the others.
page-first = To the beginning
page-next = Next
page-back = To the deals

## page: who may look
page-denied-stranger = This page opens by a personal link.
page-denied-stranger-title = A link is needed
page-denied-stranger-next = Ask the administrator for a link. The command that makes one: uzel page link
page-denied-closed = The link no longer holds: its time is over, it was revoked, or it was not copied whole.
page-denied-closed-title = The link does not fit
page-denied-closed-next = Open the whole link again, or ask the administrator for a new one: uzel page link
page-denied-wait = Too many wrong links came from your address.
page-denied-wait-title = Wait a minute
page-denied-wait-next = Wait a minute and open the right link.
page-nothing = There is no such page.
page-nothing-title = No such page
page-nothing-next = Check the address. Deals by priority are at "/".
page-failed = The data could not be read.
page-failed-title = The page could not be made
page-failed-next = Load the page again in a minute. If that does not help, the administrator finds in the log of the daemon what happened.
page-bug = A bug in the program.
page-bug-title = The page could not be made
page-bug-next = Load the page again in a minute. If that does not help, have the administrator report the bug with the log of the daemon.

## page: links
page-links-too-many = there are { $max } links to the page that hold. Revoke some: uzel page revoke
page-link-days = a link may hold from 1 to { $max } days
page-link-unknown = there is no link { $id }. Links that hold: uzel page links

## page: the ranking
ranking-place = "{ $text }" is no place in the list of deals. Begin the list anew.

## page: help and tables
cli-page = The page of the head of sales: links to it
cli-page-link = A new link to the page; it is shown once
cli-page-link--days = How many days it holds
cli-page-link--name = Whom the link is for: to know which one to revoke
cli-page-link-example-1 = uzel page link --for "Ivanova, head of sales"
cli-page-link-example-2 = uzel page link --days 7
cli-page-links = Links that hold: for whom and until when
cli-page-links-example-1 = uzel page links
cli-page-revoke = Revoke a link: it opens nothing any more
cli-page-revoke--id = Number of the link in uzel page links
cli-page-revoke--all = Revoke all links
cli-page-revoke-example-1 = uzel page revoke 3
cli-page-revoke-example-2 = uzel page revoke --all
cli-page-made = Link { $id } holds until { $expires }:
cli-page-local = The link opens on this computer only. For it to open on others, put the address by which people reach the server into uzel.toml: [listen] public_url.
cli-page-revoked = Links revoked: { $count }
cli-column-link = Number
cli-column-link-name = For
cli-column-link-made = Made
cli-column-link-expires = Holds until

## page: what is wrong
page-wrong-unknown = What is wrong with the connections could not be found out
