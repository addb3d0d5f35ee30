# Чтение чужих систем: манифесты опроса, что найдено, что не так.

connector-poll-how = в опросе должно быть сказано как: follow, load или whole. Добавьте одно из них.
connector-poll-time = изменения читаются по их времени. Добавьте time = "..." и newest = {"{"} path = ... {"}"}.
connector-poll-get = чего не нашлось при сверке номеров, о том спрашивают по номеру. Добавьте get = {"{"} path = ..., record = ... {"}"}.
connector-poll-groups = «{ $name }»: слова принадлежат одному словарю (dictionary = "user"), или строка сама говорит какому (group = "..." и groups = {"{"} ИХ = "наш" {"}"}). Напишите одно из двух.
connector-poll-sink = опрос берёт адрес, правила и квоту из [sink]. Добавьте [sink].
connector-poll-transport = transport = "poll" и [[source.poll]] бывают только вместе. Добавьте недостающее или уберите лишнее.
connector-poll-stream = потока «{ $word }» нет; может быть, «{ $near }»?
connector-poll-stream-list = потока «{ $word }» нет. Объявите его в [[source.stream]]; объявлены: { $known }.
mapping-lookup = { $field } нельзя искать в словаре источника. Можно: { $known }.

poll-word-unknown = в словаре «{ $dictionary }» той системы такого номера пока нет; оставлен сам номер. Имя появится со следующим изменением записи, когда словарь будет прочитан.
poll-deleted-there = объект удалён в той системе, поэтому сам там заново не создаётся. Создать снова: uzel outbox resend; оставить так: uzel outbox discard.
poll-not-rows = страница — не список строк. Байты есть в журнале: uzel journal show.
poll-no-answer = система не ответила. Запрос повторится через полминуты.
poll-pipeline = прочитанное не удалось применить: { $detail }. Смотрите uzel status.
poll-sweep-many = объектов больше { $max }: удаления по ним не сверяются. Сообщите разработчикам.

control-load = История подключения { $connection } загружается. Как далеко: uzel source list.
poll-not-read = { $connection } не читается: read = false или его коннектор не опрашивают. Смотрите uzel.toml.

cli-load = Загрузить всю историю подключения; продолжает с того места, где остановилась
cli-load--connection = Подключение (его имя в uzel.toml)
cli-load-example-1 = uzel load bitrix24 -d /var/lib/uzel
cli-load-example-2 = uzel load bitrix24 --json
cli-load-done = История подключения { $connection } загружена. Никому ничего из-за неё не написано.
cli-source = Что читается из внешних систем
cli-source-list = Потоки: как далеко прочитан каждый и что не так; код выхода 3, если что-то не так
cli-source-address = Адрес, на который присылает источник, и только он (в нём секрет)
cli-source-address--connection = Имя подключения
cli-source-address-example-1 = uzel source address site
cli-source-no-address = у «{ $connection }» нет адреса для приёма. Есть у: { $known }
cli-source-list-example-1 = uzel source list -d /var/lib/uzel
cli-column-source-connection = Подключение
cli-column-source-stream = Поток
cli-column-source-told = Сообщает сама
cli-source-told-called = сразу
cli-source-told-queue = очередью
cli-source-told-called-and-queue = сразу и очередью
cli-column-source-time = Новейшее изменение там
cli-column-source-news = Новое пришло
cli-column-source-read = Прочитано
cli-source-waits = ждёт квоту { $connection } до { $until }
cli-source-state-off = выключено
cli-source-state-not-offered = в этой системе нет
cli-source-state-not-begun = не начато
cli-source-state-new-only = только новое; история: uzel load
cli-source-state-loading = загружается
cli-source-state-followed = читается
cli-source-state-listened = слушаем
cli-source-state-whole = словарь
connector-poll-owner = у строк один владелец на весь поток (stream = "deal"), или строка сама говорит, какой (kind = "..." и kinds = {"{"} ИХ = "поток" {"}"}). Напишите одно из двух.
connector-poll-each = $ids и of = "..." бывают только вместе: когда спрашивают о нескольких сразу, строка должна говорить, чья она.
poll-many-rows = Поток { $stream }: у записей слишком много строк, за один раз не прочитать. Узел попробует ещё раз сам; если это повторяется, напишите разработчикам.
