## scoring: problems of the rules file
scoring-section = нет раздела [{ $name }]. Добавьте его, как во встроенных правилах.
scoring-floor-base-cap = вероятности должны возрастать: floor_bp, base_bp, cap_bp. Исправьте их.
scoring-exclude = «{ $word }» — не способ исключить сделки из прогноза; может быть, «{ $near }»?
scoring-exclude-list = «{ $word }» — не способ исключить сделки из прогноза. Выберите одно из: { $known }.
scoring-class = класса «{ $word }» нет; может быть, «{ $near }»?
scoring-class-list = класса «{ $word }» нет. Выберите один из: { $known }.
scoring-field = параметр не может брать «{ $word }»; может быть, «{ $near }»?
scoring-field-list = параметр не может брать «{ $word }». Выберите одно из: { $known }.
scoring-factor-twice = параметра «{ $id }» два. Дайте каждому свой id.
scoring-kind = полю «{ $field }» нужно kind = "{ $kind }" и его таблица, больше ничего. Исправьте параметр.
scoring-bands-empty = нет ступеней. Напишите хотя бы bands = [[0, 0]].
scoring-band-shape = ступень — это [от, баллы]: два целых числа, «от» не меньше 0, баллы от -10000 до 10000. Исправьте её.
scoring-bands-order = ступень от { $from } не выше предыдущей. Расставьте ступени по возрастанию.
scoring-too-many = в «{ $name }» больше { $max } записей. Уберите лишние.
scoring-currency = «{ $word }» — не код валюты. Напишите три заглавные буквы, например RUB.
scoring-last-rule = часть сделок останется без класса. Пусть последнее правило будет класса от C до F с when = "True".
scoring-when-name = условие не знает «{ $word }»; может быть, «{ $near }»?
scoring-when-name-list = условие не знает «{ $word }». Оно знает: { $known }.
scoring-when-expected = в условии после { $after } должно быть { $what }, а стоит { $got }. Исправьте условие.
scoring-when-quote = в условии { $when } не закрыта кавычка. Закройте её.
scoring-when-number = число { $word } в условии слишком велико. Напишите меньше.
scoring-when-character = в условии { $when } стоит «{ $character }», там это ничего не значит. Уберите.
scoring-when-deep = в условии больше { $max } скобок внутри скобок. Напишите проще.
scoring-when-units = условие сравнивает { $left } и { $right }, а они разного рода. Сравнивайте деньги с деньгами, баллы с баллами, дни с числом.
scoring-when-compare = условие сравнивает с числом то, что бывает только истинным или ложным, или класс. Сравнивайте числа или пишите peak == 'A'.

## scoring: explanation of a score
scoring-explain-floor = пол
scoring-explain-cap = потолок
scoring-explain-no-price = без суммы
scoring-explain-class = класс { $class }
scoring-explain-missing = нет данных: { $factors }
scoring-explain-not-in-forecast = не входит в прогноз
scoring-leading = { $factor }: { $level } ({ $points } %)
scoring-leading-bare = { $factor } ({ $points } %)
scoring-leading-none = обычная вероятность
scoring-factor-status = статус
scoring-factor-source = источник
scoring-factor-time = время в статусе
scoring-factor-segment = сегмент
scoring-factor-product = продукт
scoring-factor-size = размер сделки
scoring-factor-silence = молчание клиента
scoring-factor-dmu = ЛПР
scoring-factor-next-step = следующий шаг
scoring-factor-slips = переносы срока
