## The calendar of working time
calendar-time = "{ $text }" is no time. Write, for instance: "09:00"; the end of the day is "24:00".
calendar-date = "{ $text }" is no date. Write, for instance: "2026-12-31".
calendar-empty-shift = the shift ends when it begins. Round the clock is from = "00:00", to = "24:00".
calendar-no-shift = there is no shift, so there would be no working time. Add [[shift]] with name, days, from and to.
calendar-many = there are more than { $max } shifts. Take some away.
calendar-production = there is no production calendar "{ $name }". Put it into { $file } or take production away.
calendar-day-twice = { $date } is both a day off in days_off and a day with hours of its own. Keep one.
calendar-year-twice = the year { $year } is there twice. Keep one.
calendar-other-year = { $date } is of the year { $year }. Move it to that section.
calendar-shortened-rest = { $date } is a day off and cannot be shorter. Take it out of shortened.
calendar-year-missing = there is no production calendar for { $year }: holidays are not known, plain weeks count. Add [[year]], or days off to { $file } (days_off).
calendar-year-preliminary = the moved days off of { $year } are not in yet: only the holidays of the code count. Write the days of the decree and take preliminary away.
