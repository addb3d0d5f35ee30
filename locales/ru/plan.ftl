## plan: что будет записано в другую систему
plan-file = файл плана { $path } не читается или не пишется: { $detail }. Исправьте или составьте план заново: uzel sync plan
plan-damaged = план { $path } не читается в строке { $line }: { $detail }. Составьте план заново: uzel sync plan
plan-unknown = плана { $plan } нет. Какие есть, покажет `uzel sync plans`.
plan-several = с { $plan } начинаются имена планов: { $count }. Напишите имя полнее: `uzel sync plans`.
look-given-up = система { $sink } раз за разом просит подождать: поиск прекращён, ничего не записано. Попробуйте позже: uzel sync plan --look
look-failed = поиск не удался: { $detail }. Ничего не записано. Попробуйте снова: uzel sync plan --look
sink-look-writes = поиск ничего не пишет

## почему строка попала в план
plan-why-received = запись из { $connection } ({ $stream })
plan-why-command = решение человека
plan-why-time = прошло время: другая оценка
plan-why-rules = новые правила: другая оценка
plan-why-import = запись большого файла
plan-why-attempt = попытка передать

## sync: команды
sync-no-sinks = нет подключения, в которое пишут. Добавьте его в uzel.toml, например: [connection.bitrix24]
sync-name-sink = систем, в которые пишут, несколько. Назовите одну: { $known }.
sync-no-sink = системы «{ $sink }», в которую пишут, нет. Есть: { $known }.
sync-off = в { $sink } никогда не пишут: в uzel.toml стоит mode = "off". Поставьте mode = "observe", перезапустите и примените план снова.
sync-applied-already = план { $plan } уже применён (позиция { $position }). Что накопилось с тех пор: uzel sync plan
sync-overtaken = план { $plan } устарел: из { $goes } объектов изменились { $count } ({ $objects }). Ничего не записано. Составьте новый план: `uzel sync plan { $sink }`. Или запишите только то, что ещё верно: `uzel sync apply { $plan } --only-unchanged`.
sync-applied = { $count ->
    [one] план { $plan } применён: в { $sink } уходит { $count } объект, а дальше изменения идут сами
    [few] план { $plan } применён: в { $sink } уходят { $count } объекта, а дальше изменения идут сами
   *[many] план { $plan } применён: в { $sink } уходит { $count } объектов, а дальше изменения идут сами
}
sync-left-overtaken = устарели и не записаны: { $count }. Они ждут следующего плана: uzel sync plan
sync-left-newer = накопились после составления плана: { $count }. Они ждут следующего плана: uzel sync plan
sync-paused = в { $sink } больше ничего не пишется; изменения копятся. Продолжить: uzel sync resume { $sink }
sync-resumed = запись в { $sink } продолжается, вместе с накопленным
sync-not-live = в { $sink } ещё ничего не пишется. Посмотрите, что было бы записано, и примените: uzel sync plan { $sink }
sync-next-step = Записать именно это: uzel sync apply { $plan }
sync-duration = { $hours } ч { $minutes } мин { $seconds } с

cli-sync = Что будет записано в систему и кто это разрешил: планы, паузы
cli-sync-status = Как обстоят дела с каждой системой, в которую пишут
cli-sync-plan = Что, куда и почему было бы записано; ничего не записывает
cli-sync-plan--sink = Система (имя подключения); можно не писать, если она одна
cli-sync-plan--limit = Сколько строк показать; счёт всегда по всему
cli-sync-plan--action = Только строки с этим действием
cli-sync-plan--look = Искать в системе то, что план собирается создать: найденное связывается и меняется, и план так и говорит
cli-sync-plan-example-1 = uzel sync plan
cli-sync-plan-example-2 = uzel sync plan bitrix24 --action update --limit 100
cli-sync-plan-example-3 = uzel sync plan --look
cli-sync-plans = Составленные планы
cli-sync-show = План строка за строкой
cli-sync-show--plan = Имя плана или его начало
cli-sync-show--limit = Строк на странице
cli-sync-show--action = Только строки с этим действием
cli-sync-show--after = Объект, на котором кончилась прошлая страница
cli-sync-show-example-1 = uzel sync show 3f2a91c07d11 --limit 500
cli-sync-apply = Записать именно то, что в плане; отказ, если что-то с тех пор изменилось
cli-sync-apply--plan = Имя плана, его начало или файл
cli-sync-apply--only-unchanged = Записать то, что ещё верно, остальное оставить следующему плану
cli-sync-apply-example-1 = uzel sync apply 3f2a91c07d11
cli-sync-pause = Больше ничего не писать в систему; изменения копятся
cli-sync-pause--sink = Система (имя подключения)
cli-sync-resume = Продолжить запись в систему после паузы
cli-sync-resume--sink = Система (имя подключения)
cli-section-plan-groups = Счёт
cli-section-plan-lines = Строки
cli-column-plan = План
cli-column-held = Ждут плана
cli-column-waiting = Ждут отправки
cli-column-approved = Применён
cli-column-made = Составлен
cli-column-looked = Поиск там
cli-column-requests = Запросов
cli-column-takes = Не меньше
cli-column-beyond = Останется следующему плану
cli-column-action = Действие
cli-column-note = Примечание
cli-column-fields = Поля
cli-sync-quiet = история
cli-action-create = создать
cli-action-import = импортировать, без роботов
cli-action-link = связать и изменить
cli-sync-several = (одна из нескольких)
cli-look-found = уже есть: { $count }
cli-action-update = изменить
cli-action-nothing = записывать нечего
cli-action-waits = ждёт другого
cli-action-person = нужен человек
cli-action-untold = не передаётся
