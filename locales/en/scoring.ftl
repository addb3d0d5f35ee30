## scoring: problems of the rules file
scoring-section = the section [{ $name }] is missing. Add it as in the built-in rules.
scoring-floor-base-cap = the probabilities must rise: floor_bp, base_bp, cap_bp. Correct them.
scoring-exclude = "{ $word }" is not a way to leave deals out of the forecast; did you mean "{ $near }"?
scoring-exclude-list = "{ $word }" is not a way to leave deals out of the forecast. Choose one of: { $known }.
scoring-class = there is no class "{ $word }"; did you mean "{ $near }"?
scoring-class-list = there is no class "{ $word }". Choose one of: { $known }.
scoring-field = a factor cannot use "{ $word }"; did you mean "{ $near }"?
scoring-field-list = a factor cannot use "{ $word }". Choose one of: { $known }.
scoring-factor-twice = there are two factors "{ $id }". Give each an id of its own.
scoring-kind = the field "{ $field }" wants kind = "{ $kind }" and its table, nothing else. Correct the factor.
scoring-bands-empty = there are no bands. Write at least bands = [[0, 0]].
scoring-band-shape = a band is [from, points]: two whole numbers, from at least 0, points between -10000 and 10000. Correct it.
scoring-bands-order = the band from { $from } does not rise above the one before it. Sort the bands.
scoring-too-many = "{ $name }" has more than { $max } entries. Remove some.
scoring-currency = "{ $word }" is not a code of a currency. Write three capital letters, for example RUB.
scoring-last-rule = some deals would get no class. Let the last rule be of class C to F with when = "True".
scoring-when-name = the condition does not know "{ $word }"; did you mean "{ $near }"?
scoring-when-name-list = the condition does not know "{ $word }". It knows: { $known }.
scoring-when-expected = in the condition, after { $after } there should be { $what }, and there is { $got }. Correct the condition.
scoring-when-quote = in the condition { $when } a quotation mark is not closed. Close it.
scoring-when-number = the number { $word } of the condition is too large. Write a smaller one.
scoring-when-character = the condition { $when } holds "{ $character }", which has no meaning there. Remove it.
scoring-when-deep = the condition has more than { $max } brackets in brackets. Write it simpler.
scoring-when-units = the condition compares { $left } with { $right }, which are not of one kind. Compare money with money, points with points, days with a number.
scoring-when-compare = the condition compares something that is true or false, or a class, with a number. Compare numbers, or write peak == 'A'.

## scoring: explanation of a score
scoring-explain-floor = floor
scoring-explain-cap = cap
scoring-explain-no-price = no price
scoring-explain-class = class { $class }
scoring-explain-missing = no data: { $factors }
scoring-explain-not-in-forecast = not in the forecast
scoring-leading = { $factor }: { $level } ({ $points } %)
scoring-leading-bare = { $factor } ({ $points } %)
scoring-leading-none = ordinary probability
scoring-factor-status = status
scoring-factor-source = source
scoring-factor-time = time in status
scoring-factor-segment = segment
scoring-factor-product = product
scoring-factor-size = size of the deal
scoring-factor-silence = silence of the client
scoring-factor-dmu = decision maker
scoring-factor-next-step = next step
scoring-factor-slips = moved dates
