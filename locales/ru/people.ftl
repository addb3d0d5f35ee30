## Сотрудники и распределение
people-key = «{ $key }» не может быть ключом. Годятся a-z, 0-9, _ и -, не больше 24 знаков, например: ivanova
people-key-twice = ключ «{ $key }» уже занят. Дайте каждому свой.
people-many = в «{ $name }» больше { $max } записей. Уберите лишние.
people-unreadable = «{ $text }» не читается как { $name }. Исправьте или уберите.
people-dates = период кончается { $to }, раньше, чем начинается: { $from }. Поменяйте даты.
people-connection = подключения «{ $word }» нет; может быть, «{ $near }»?
people-connection-list = подключения «{ $word }» нет. Есть: { $known }.
people-employee = сотрудника «{ $word }» нет; может быть, «{ $near }»?
people-employee-list = сотрудника «{ $word }» нет. Есть: { $known }.
people-shift = смены «{ $word }» нет; может быть, «{ $near }»?
people-shift-list = смены «{ $word }» нет. Есть: { $known }.
people-group = в группе «{ $word }» никого нет; может быть, «{ $near }»?
people-group-list = в группе «{ $word }» никого нет. Группы сотрудников: { $known }.
people-region = региона «{ $word }» нет; может быть, «{ $near }»?
people-region-list = региона «{ $word }» нет. Есть: { $known }.
people-code = «{ $text }» не годится в { $name }: нужны цифры, например 495 для телефона или 77 для ИНН.
people-circle = заместители ходят по кругу: { $path }. Разорвите круг.
people-shared = { $what } уже есть у сотрудника { $other }, и работают они одновременно. Оставьте у одного или укажите valid_from и valid_to.
people-rule-unreachable = до этого правила очередь не дойдёт: предыдущее берёт всё. Переставьте правило без условий в конец.
people-untouched-order = шаг через { $after } минут стоит не по порядку. Расставьте шаги по возрастанию.
people-left-head = руководитель { $name } уволен с { $to }, ему больше ничего не отдать. Назначьте head заново.
people-left-duty = дежурный { $name } уволен с { $to }. Уберите его из duty.
people-left-deputy = { $of } замещает { $name }, а он уволен с { $to }. Назначьте другого заместителя.
people-no-head = нет head: лид, который некому отдать, останется без ответственного. Назначьте руководителя.
people-group-unused = группу «{ $group }» не называет ни одно правило распределения: её сотрудники не получат новых лидов. Добавьте [[rule]] с to = "{ $group }".
people-group-left = в группе «{ $group }» никого не осталось: её лиды идут руководителю. Добавьте сотрудников.
people-unknown = сотрудника «{ $text }» нет в rules/employees.toml; ответственный оставлен как написан. Добавьте его туда вместе с тем, как его зовёт подключение { $connection }.

people-own = клиента ведёт { $name }
people-own-unknown = клиента вёл «{ $text }», такого сотрудника нет
people-rule = правило в строке { $line }: группа «{ $group }»
people-no-rule = ни одно правило не подошло
people-turn = { $name }: очередь в группе «{ $group }»
people-next-shift = никого из группы «{ $group }» нет на смене, лид ждёт до { $opens }
people-off-duty = никого из группы нет на смене, дежурит { $name }
people-not-yet = { $name } работает только с { $from }
people-absent = { $name } отсутствует по { $to }
people-absent-why = { $name } отсутствует по { $to }: { $why }
people-dismissed = { $name } больше не работает, последний день { $to }
people-full = { $name } пропускает очередь: открытых сделок { $open }, предел { $cap }
people-deputy = замещает { $name }
people-duty = дежурит { $name }
people-group-empty = в группе «{ $group }» взять некому
people-head = руководитель { $name }
people-nobody = отдать некому. Назначьте head в rules/employees.toml
people-untouched = работа с лидом вовремя не началась, его держит { $name }

people-left-there = { $name } уволен в { $connection }, хотя в rules/employees.toml ещё работает
people-left-there-step = уволен в { $connection }: новых обращений не получает; впишите последний день (valid_to) в rules/employees.toml и передайте открытые сделки: { $count }
people-hand-over = передайте его открытые сделки: { $count }
people-user-unknown = в { $connection } нет пользователя { $id }: исправьте ids в rules/employees.toml
people-user-near = в { $connection } нет пользователя { $id }, по имени подходит { $near }: исправьте ids в rules/employees.toml
people-user-dismissed = в { $connection } пользователь { $id } уволен: впишите последний день (valid_to) или действующий номер в rules/employees.toml
people-at-cap = предел достигнут, новых лидов не получает

preview-summary = Лидов за { $days ->
    [one] { $days } день
    [few] { $days } дня
   *[other] { $days } дней
}: { $leads }; по другим правилам пошли бы иначе: { $changed }
preview-nobody = никому
preview-paid = оплачено { $sum }
preview-more-deals = И ещё сделок, где было бы иначе: { $count }
preview-fate-new = новая сделка
preview-fate-repeat = повторная сделка
preview-fate-joined = в открытую сделку
preview-fate-returned = вернулся в проигранную
preview-fate-no-deal = без сделки
preview-fate-filtered = отложен
preview-fate-quarantined = карантин
preview-fate-discarded = снят
preview-fate-repeated = повтор

cli-employees = Сотрудники: кто работает, кто на смене, сколько открытых сделок
cli-employees--group = Только эта группа
cli-employees-example-1 = uzel employees --group Москва
cli-rules = Правила сделок и распределения
cli-rules-preview = Лиды последних дней по другим правилам: в какие сделки и кому; ничего не меняется
cli-rules-preview--days = За сколько дней
cli-rules-preview--rules = Папка других правил: distribution.toml, employees.toml, business.toml; без неё — файлы папки службы, как они есть сейчас
cli-rules-preview--changed = Только лиды, которые пошли бы иначе
cli-rules-preview--limit = Сколько строк показать; посчитаны будут все лиды
cli-rules-preview-example-1 = uzel rules preview --days 30                    правленые файлы до перезапуска
cli-rules-preview-example-2 = uzel rules preview --days 7 --rules new-rules/ --changed
cli-deal-assigned = Назначен по правилам: { $name }, { $at }
cli-presence-on-shift = на смене
cli-presence-here = работает
cli-presence-absent = отсутствует
cli-presence-dismissed = уволен
cli-presence-not-yet = ещё не вышел
cli-column-employee-key = Ключ
cli-column-employee = Сотрудник
cli-column-employee-until = До / смена с
cli-column-employee-groups = Группы
cli-column-open-deals = Сделок
cli-column-deputy = Заместитель
cli-column-employee-step = Что сделать
cli-column-lead-fate = Что стало
cli-column-lead-was = Было
cli-section-fates = Во что превратились
cli-section-taken = Кому достались новые сделки
cli-section-leads = Лиды

## whose word counts
cli-ownership = Чьё слово главное для каждого поля и куда оно пишется
cli-ownership-example-1 = uzel ownership
cli-ownership-where = Порядок хозяев — rules/ownership.toml (последняя колонка — строка в нём); что и куда пишется — mappings/СИСТЕМА/*.out.toml. Поставленное человеком (uzel client edit, uzel deal edit) сильнее всех, пока он его не отпустит.
cli-column-ownership = Чьё слово
cli-column-written = Куда пишется
cli-column-ownership-line = Строка правил
cli-object-client = клиент
cli-object-deal = сделка
cli-field-score = оценка
cli-field-paid = оплачено
cli-field-state = исход
cli-field-utm = метки UTM
ownership-ours = считает Узел
ownership-all-kept = хранятся все, новейшие впереди
ownership-newest = новейшее, кто бы ни сказал
ownership-owners = { $owners } > остальные
ownership-kept = всегда
ownership-created = только при создании
ownership-unless-owned = при создании; потом — если значение от хозяина
ownership-unless-rules = при создании; потом — если решили правила
cli-section-standing = Сделки: этап, итог, оплачено
