## keeping: snapshots, what is kept and for how long
snapshot-newer = снимок { $file } имеет формат { $version }, а этот uzel знает { $known }. Обновите программу.
snapshot-damaged = снимок { $file } повреждён, байт { $offset }. Пока цел журнал или снимок постарше, ничего не потеряно: сделайте новый командой `uzel snapshot make` и проверьте диск.
snapshot-failed = снимок { $file } не читается или не записывается: { $detail }. Проверьте диск: свободное место, права, ошибки в системном журнале.
config-schedule = «{ $text }» — не расписание. Нужно пять полей, например "0 3 * * *" (каждую ночь в три) или "30 2 * * SUN"; дни недели пишутся словами: MON … SUN.
app-store-behind = хранилище остановилось на { $checkpoint }, а журнал начинается с { $first }: оно отставлено в сторону и строится заново из снимка
app-rebuild-removed = журнал начинается с записи { $first }, более старые удалены по сроку хранения, а целого снимка, который до неё доходит, нет. Верните снимок из резервной копии в папку snapshots или восстановите копию целиком: `uzel restore`.
cli-snapshot = Снимки: все данные на один момент, из которых хранилище строится заново
cli-snapshot-make = Сделать снимок сейчас (можно и при работающей службе)
cli-snapshot-list = Какие снимки есть
cli-snapshot-verify = Прочитать каждый байт каждого снимка
cli-snapshot-make-example-1 = uzel snapshot make -d /var/lib/uzel
cli-snapshot-list-example-1 = uzel snapshot list
cli-snapshot-verify-example-1 = uzel snapshot verify --json
cli-snapshot-made = Снимок { $file }: всё до записи { $position }, строк { $rows }, хеш всех строк { $hash }. Перечитан и сверен.
cli-snapshot-sound = Все снимки целы.
cli-column-made-at = сделан (UTC)
cli-column-rows = строк
cli-rebuild--whole = Начать с первой записи журнала, а не с последнего снимка
cli-rebuild-snapshot = Начато со снимка на записи { $position }; с первой записи: --whole

## backup and restore
backup-not-empty = папка { $folder } не пуста. Назовите новую или пустую.
backup-manifest = { $file } не читается: { $detail }. Это не резервная копия Узла, или её не закончили: сделайте заново.
backup-manifest-changed = { $file } уже не тот, каким был при создании копии (так говорит { $hash }). Не восстанавливайте из неё, возьмите другую копию.
backup-newer = резервная копия { $file } имеет формат { $version }, а этот uzel знает { $known }. Обновите программу.
backup-file-changed = { $file } уже не тот, каким был при создании копии. Не восстанавливайте из неё, возьмите другую копию.
backup-file-missing = { $file } не читается: { $detail }. Копия неполна, возьмите другую.
backup-file-foreign = { $file } — не часть резервной копии. Уберите его оттуда.
app-restored = эта папка восстановлена из резервной копии: ни в какую CRM ничего не пишется, пока вы не дадите команду `uzel restore --release`. CRM может знать больше, чем эта копия.
cli-backup = Резервные копии: копия всего, снимается при работающей службе
cli-backup-make = Сделать резервную копию в новой папке
cli-backup-make--target = Куда: новая или пустая папка, лучше на другом диске
cli-backup-make--with-secrets = Скопировать и секреты подключений (vault.json); такую копию храните там, где её прочтёте только вы
cli-backup-verify = Прочитать каждый байт копии и сверить с её описью
cli-backup-verify--source = Резервная копия
cli-backup-make-example-1 = uzel backup make /mnt/backup/uzel-2026-11-22 -d /var/lib/uzel
cli-backup-verify-example-1 = uzel backup verify /mnt/backup/uzel-2026-11-22
cli-backup-made = Копия { $target }: записи с { $first } по { $last }, файлов: { $files }. Каждый перечитан. Время от времени проверяйте восстановление: `uzel restore { $target } -d НОВАЯ-ПАПКА`.
cli-backup-with-secrets = Секреты подключений в ней: храните её там, где её прочтёте только вы.
cli-backup-without-secrets = Секретов подключений в ней нет (они попадают с ключом --with-secrets).
cli-backup-sound = Копия цела: записи с { $first } по { $last }, файлов: { $files }.
cli-restore = Сделать папку из резервной копии или разрешить восстановленной папке запись
cli-restore--source = Резервная копия; новая папка указывается ключом -d
cli-restore--release = Разрешить восстановленной папке снова писать в CRM, как сказано в настройках
cli-restore-example-1 = uzel restore /mnt/backup/uzel-2026-11-22 -d /var/lib/uzel-new
cli-restore-example-2 = uzel restore --release -d /var/lib/uzel-new
cli-restore-done = Восстановлено: { $folder }, всё до записи { $last } (копия от { $made } UTC). Хеш всех строк { $hash }.
cli-restore-held = Пока ни в какую CRM ничего не пишется: она может знать больше, чем эта копия. Посмотрите `uzel status` и `uzel outbox list`, затем дайте команду `uzel restore --release` и перезапустите службу. Дважды ничего не создастся: чего копия не знает, то сначала ищется.
cli-restore-secrets = Копия без секретов: `uzel init -d ПАПКА` создаст заново секреты форм и 1С (их адреса и пароли изменятся), секреты CRM задаются снова.
cli-restore-released = Разрешено: со следующего запуска подключения с mode = "live" снова записываются.
cli-restore-not-held = Эту папку ничто не удерживало.
cli-restore-what = Назовите резервную копию или укажите --release. Пример: uzel restore /mnt/backup/uzel-2026-11-22 -d /var/lib/uzel-new

## retention
retention-young = остаётся: ещё не вышел срок
retention-checkpoint = остаётся: хранилище это ещё не прошло
retention-no-snapshot = остаётся: ещё нет целого снимка (uzel snapshot make)
retention-snapshot = остаётся: самый старый из хранимых снимков доходит только до записи { $position }
retention-quarantine = остаётся: в карантине ждёт { $record } (uzel quarantine list)
retention-import = остаётся: файл записи { $position } принят не до конца
retention-referred = остаётся: на это ссылается запись { $position }, которой ещё нет в самом старом снимке
cli-retention = Удалить записи журнала, у которых вышел срок и которые больше не нужны
cli-retention--dry-run = Только показать, что удалилось бы и почему остаётся остальное
cli-retention--days = Хранить столько дней вместо [keep] journal_days
cli-retention-example-1 = uzel retention --dry-run --days 365
cli-retention-all = Журнал хранится весь ([keep] journal_days = 0). Посмотреть, что можно было бы удалить: uzel retention --dry-run --days 365
cli-retention-goes = удаляется
cli-retention-would = Удалилось бы: записей { $entries }, байт { $bytes }; дней хранится: { $days }.
cli-retention-done = Удалено: записей { $entries }, байт { $bytes }; дней хранится: { $days }.
cli-column-until = до (UTC)
cli-column-verdict = решение

## erasure of a person
query-filtered-erased = стёрто: здесь речь шла о человеке, который просил забыть его
cli-privacy = Персональные данные
cli-privacy-erase = Стереть человека: из данных, журнала, снимков и файлов
cli-privacy-erase--client = Клиент; объединённые с ним стираются вместе с ним
cli-privacy-erase--dry-run = Только показать, что стёрлось бы
cli-privacy-erase-example-1 = uzel privacy erase cl_8_0 --dry-run
cli-privacy-would = Стёрлось бы: { $clients }; сделок { $deals }, документов { $documents }, взаимодействий { $interactions }, записей журнала { $entries }. Обратного пути нет.
cli-privacy-erased = Стёрто: { $clients }; сделок { $deals }, документов { $documents }, взаимодействий { $interactions }, записей журнала { $entries }.
cli-privacy-restart = В данных человека больше нет. Файлы (журнал, снимки, хранилище) очищаются при следующем запуске службы: перезапустите её, и появится акт erasures/erasure-{ $position }.json.
cli-privacy-receipt = Файлы очищены. Акт: erasures/erasure-{ $position }.json. В прежних резервных копиях человек остался: `uzel restore --erasures` сотрёт его снова; либо удалите их.
cli-privacy-elsewhere = Во внешних системах человек остаётся под этими номерами; сотрите его там вручную, иначе он вернётся оттуда:
cli-restore--erasures = Список стёртых людей из утраченной папки (erasures/list.json): стёртые после снятия копии стираются снова
cli-restore-no-erasures = Список стёртых не указан: люди, стёртые после снятия копии, в ней снова есть. Список — erasures/list.json утраченной папки или более поздней копии, ключ --erasures.
cli-restore-erasures = Стёрто снова: клиентов { $count }.

## what is known of a person
cli-privacy-export = Выдать всё, что известно о человеке: поля с источниками, сделки, обращения и сами полученные записи
cli-privacy-export--client = Клиент; вместе с ним выдаются объединённые с ним
cli-privacy-export--out = Файл (не перезаписывается, читает только владелец); .json — для программ, иначе текст. Без него — на экран
cli-privacy-export-example-1 = uzel privacy export cl_8_0 --out ответ.md
cli-privacy-export-there = Файл { $file } уже есть: назовите другой, выдача ничего не перезаписывает
cli-privacy-exported = Записано в { $file }: клиентов { $clients }, сделок { $deals }, полученных записей { $records }. В файле персональные данные: передайте его самому человеку и удалите.
privacy-export-title = Сведения о человеке на { $at }
privacy-export-deal = Сделка
privacy-export-documents = Документы
privacy-export-tasks = Задачи
privacy-export-interactions = Обращения и касания
privacy-export-records = Что было получено, дословно
privacy-export-left-out = Не поместилось полученных записей: { $count } (самые новые). Их показывает uzel journal show.
privacy-export-elsewhere = Где ещё хранится: внешние системы и номера в них
