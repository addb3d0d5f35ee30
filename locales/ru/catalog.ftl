## mapping, config, catalog

mapping-step = шага «{ $word }» нет; может быть, «{ $near }»?
mapping-step-list = шага «{ $word }» нет. Известны: { $known }.
mapping-step-argument = после шага «{ $step }» нужно слово, например: { $step } #
mapping-field = поля «{ $word }» нет; может быть, «{ $near }»?
mapping-field-list = поля «{ $word }» здесь нет. Известны: { $known }.
mapping-name-missing = { $field } требует имени после точки, например: { $field }.order = "id"
mapping-from-kind = { $field } ждёт путь, список путей или таблицу с `from`.
mapping-no-source = { $field } требует либо `from` (путь), либо `const` (текст), и не то и другое сразу.
mapping-kind-missing = таблица [{ $section }] не говорит, что это. Добавьте, например: kind.const = "order" в [document] или kind.const = "form" в [interaction].
mapping-conversion = { $field } нельзя заполнить преобразованием «{ $conversion }». Подходят: { $fitting }.
mapping-dictionary = словаря «{ $word }» нет; может быть, «{ $near }»?
mapping-dictionary-list = словаря «{ $word }» нет. В этом файле есть: { $known }. Добавьте [dictionary.{ $word }].
mapping-dictionary-shape = «{ $name }» должно быть таблицей слов: "их слово" = "наше слово".
mapping-dictionary-kind = перевод слова «{ $word }» должен быть текстом.
mapping-dictionary-twice = слово «{ $word }» есть в словаре дважды (регистр не важен). Уберите одно.
mapping-translation = { $field } не понимает «{ $word }»; может быть, «{ $near }»?
mapping-translation-list = { $field } не понимает «{ $word }». Понимает: { $known }.
mapping-otherwise-missing = у { $field } есть словарь, и не сказано, что делать со словом, которого в нём нет. Добавьте otherwise = "keep", "drop" или "quarantine".
mapping-otherwise-alone = `otherwise` у { $field } без словаря ничего не значит. Добавьте `map` или уберите его.
mapping-otherwise-closed = { $field } понимает только свои слова, поэтому неизвестное нельзя оставить. Напишите otherwise = "drop" или "quarantine".
mapping-each-single = { $field } хранит одно значение. Уберите `each`.
mapping-each-join = { $field } не может и брать каждое значение, и склеивать их. Оставьте одно из `each` и `join`.
mapping-default = значение «{ $text }» не подходит для { $field }. Исправьте его.
mapping-default-word = значение «{ $text }» не подходит для { $field }. Понимает: { $known }.
mapping-condition = условие спрашивает об одном. Напишите одно из: filled = true, filled = false, equals = "...", differs = "...".
mapping-lines-to = строки не могут идти в «{ $word }»; может быть, «{ $near }»?
mapping-line-word = { $field }: в строках товаров слово «{ $word }» не действует, только from, as, const и default. Уберите его.
mapping-lines-to-list = строки не могут идти в «{ $word }». Выберите из: { $known }.
mapping-word = это слово непонятно; известны: { $known }. Поле оставлено пустым. Добавьте словарь в правила разбора.
mapping-word-dropped = в словаре нет этого слова, поле оставлено пустым. Добавьте слово в правила разбора.
mapping-word-unknown = { $field }: слова «{ $word }» нет в словаре файла { $file }. Добавьте его и повторите запись.
mapping-days = это не число дней, поле оставлено пустым.
mapping-extra-full = из полей, которых нет в правилах разбора, сохранены { $kept }, ещё { $refused } — нет; в журнале есть все.
mapping-required-missing = нет { $field }: по путям { $paths } ничего не заполнено. Добавьте путь в { $file } или исправьте запись в источнике и повторите.
mapping-required-unreadable = { $field } не читается: то, что стоит по путям { $paths }, не преобразуется. Исправьте { $file } или запись в источнике и повторите.
mapping-require-any = ничего из { $fields } не заполнено, и найти человека по этой записи нельзя. Смотрели: { $paths }. Добавьте путь в { $file } и повторите запись или откажитесь от неё.
mapping-name = отправлять «{ $word }» нечего; может быть, «{ $near }»?
mapping-name-list = отправлять «{ $word }» нечего. Известны: { $known }.
mapping-no-fields = нет таблицы [fields]: отправлять было бы нечего. Добавьте её.
mapping-out-kind = поле { $field } ждёт наше имя, таблицу или список таблиц.
mapping-out-source = полю { $field } нужно ровно одно из `from`, `const` и `text`.
mapping-out-const = постоянное значение поля { $field } — это текст, целое число, true или false.
mapping-out-type = `type` у поля { $field } имеет смысл только вместе с as = "multifield". Уберите его.
mapping-out-as = поле { $field } — постоянное или текст, `as` там ничего не значит. Уберите его.
mapping-out-format = { $name } нельзя записать в { $field } в таком виде. Выберите другое `as`.
mapping-out-quarantine = { $field }: доставка не отклоняется из-за слова. Напишите otherwise = "keep" или "drop".
mapping-out-otherwise = у { $field } есть словарь, и не сказано, что делать со словом, которого в нём нет. Добавьте otherwise = "keep" или "drop".
mapping-template-brace = открытая скобка не закрыта на своей строке. Закройте её после имени.
mapping-create-only = `create_only` — это true, false или "unless_owned", "unless_rules".

case-kind-missing = у { $mapping } нет примера вида «{ $kind }». Добавьте: правила разбора не готовы, пока им не показали такую запись.
case-differs = пример «{ $case }» даёт другое ( - ожидалось, + получилось ): { $difference }
case-not-same = пример «{ $case }» не о том же, о чём исходный. Этот: { $own }. Исходный: { $other }.
case-same-as = примера «{ $word }» нет; может быть, «{ $near }»?
case-same-as-list = примера «{ $word }» нет. В этом файле есть: { $known }.
case-received-at = «{ $text }» — не момент времени. Пишите, например: 2026-03-02T09:00:00Z
case-expects-nothing = пример «{ $case }» ничего не ожидает. Добавьте `expect` или `same_as`.
case-duplicate-of = пример «{ $case }» — повтор, и не сказано чего. Добавьте same_as = "имя примера".
case-input = примеру нужен ровно один вход: `json`, `form` или `xml`.

config-variable = переменная { $variable }: { $detail }
config-zone = часового пояса «{ $zone }» нет. Напишите имя вроде "Europe/Moscow" или "Asia/Yekaterinburg".
config-switch-over = «switch_over» — это «{ $text }», а нужен момент времени. Напишите время пояса компании, например: switch_over = "2026-12-01T00:00"
config-region = «{ $region }» — не страна. Напишите две заглавные буквы: RU, KZ, BY.
config-currency = «{ $currency }» — не валюта. Напишите три заглавные буквы: RUB, KZT, USD.
config-inn = «{ $inn }» — не ИНН. Напишите 10 или 12 цифр.
config-address = «{ $address }» — не адрес, на котором можно слушать. Напишите, например: 127.0.0.1:8690
config-public-url = «{ $url }» — не адрес сайта. Напишите, например: https://in.company.ru
config-proxy = «{ $proxy }» — не адрес и не сеть. Напишите, например: 127.0.0.1 или 10.0.0.0/8
config-mailbox = «{ $text }» — не адрес почты. Напишите, например: "Узел <uzel@company.ru>" или "admin@company.ru"
config-mail-nobody = Не сказано, кому писать. Напишите, например: to = ["admin@company.ru"]
config-mail-plain = Пароль ушёл бы по сети открытым. Поставьте tls = "starttls" или "tls" либо уберите login
config-target = «{ $url }» — не адрес. Он начинается с https://
config-connection-reserved = Имя «{ $name }» занято: под ним хранятся секреты самой службы. Назовите подключение иначе
config-connection-name = «{ $name }» здесь не может быть именем. Годятся a-z, 0-9, _ и -, не больше 24 знаков.
config-connector = подключение «{ $connection }»: коннектора «{ $word }» нет; может быть, «{ $near }»?
config-connector-list = подключение «{ $connection }»: коннектора «{ $word }» нет. Есть: { $known }.
config-secret-in-file = «{ $setting }» — секрет, в этом файле ему не место. Уберите его отсюда; держите в хранилище под именем { $name } или передайте переменной { $variable }.

catalog-file-unreadable = файл не читается: { $detail }. Проверьте права и что он в UTF-8.
catalog-file-missing = файла нет. Он встроен в программу; без него конфигурация повреждена: возьмите её из копии.
catalog-owner = коннектора «{ $word }» нет; может быть, «{ $near }»?
catalog-owner-list = коннектора «{ $word }» нет. Есть: { $known }.
catalog-owners-many = у группы { $group } больше { $max } хозяев. Оставьте главных.
catalog-no-connection = подключения «{ $connection }» больше нет в конфигурации. Верните его в uzel.toml и повторите запись или откажитесь от неё.
catalog-no-mapping = нет правил разбора для записей потока «{ $stream }». Напишите { $file } и повторите запись.
catalog-no-out-mapping = объекту приёмника «{ $object }» нужны эти правила, а файла нет. Напишите его.
catalog-other-object = правила говорят не о том объекте, что «{ $object }» у приёмника. Исправьте `object`.
catalog-stranger = этот файл не относится ни к потоку, ни к объекту; может быть, «{ $near }»?
catalog-stranger-list = этот файл не относится ни к потоку, ни к объекту своего коннектора. Есть: { $known }.
catalog-bundle-damaged = сохранённая конфигурация повреждена. Возьмите папку configurations из копии.
catalog-bundle-newer = сохранённую конфигурацию сделал более новый uzel. Обновите программу.
catalog-contact-email = «{ $word }» — не адрес почты. Пишите так: zakaz@romashka.ru
catalog-contact-domain = «{ $word }» — не домен. Пишите без собаки: romashka.ru
catalog-contact-inn = «{ $word }» — не ИНН: в нём 10 или 12 цифр.
mapping-out-within = { $field }: поле { $within }, внутри которого ищут слово, должно стоять выше. Переставьте его.
mapping-out-within-alone = { $field }: within без words ничего не значит. Добавьте words или уберите within.
catalog-words = словаря «{ $word }» система не отдаёт; может быть, «{ $near }»?
catalog-words-list = словаря «{ $word }» система не отдаёт. Есть: { $known }.
