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
