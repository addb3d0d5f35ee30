## relay: реле на общедоступной машине

config-relay-address = address в [relay] — «{ $address }», а нужен адрес реле без пути. Напишите, например: address = "https://in.company.ru"
config-relay-name = имя relay занято реле. Назовите подключение иначе.

relay-no-settings = настройки реле не читаются: { $detail }. Создайте папку командой `uzel relay init --from ФАЙЛ -d { $folder }`.
relay-office-folder = в { $folder } лежит сам Узел (uzel.toml). Для реле возьмите другую папку.
relay-bundle-damaged = { $path } — не файл для реле. Сделайте его в офисе командой `uzel relay export ФАЙЛ` и перенесите целиком.
relay-bundle-newer = { $path } сделан более новой версией Узла. Обновите реле.
relay-state-damaged = { $path } не читается. Верните файл из копии; если её нет, выполните `uzel relay init --from ФАЙЛ --renew`: реле получит новое имя, и офис заберёт из его журнала всё заново.
relay-state-newer = { $path } записан более новой версией Узла. Обновите реле.
relay-state-missing = нет { $path }, а без него офис не узнает, что он уже забрал. Верните файл из копии; если её нет, выполните `uzel relay init --from ФАЙЛ --renew`: реле получит новое имя, и офис заберёт из его журнала всё заново.
relay-journal-short = в журнале реле { $head } записей, а офис забрал { $confirmed }: журнал вернули к прежнему состоянию. Верните новый журнал; если его нет, выполните `uzel relay init --from ФАЙЛ --renew`.
relay-read-cut = чтение журнала оборвалось: { $detail }
relay-body = тело сообщения в журнале реле не читается: { $detail }. Проверьте на реле: `uzel journal verify`.

relay-no-address = в { $file } нет реле. Добавьте [relay] и address = "https://in.company.ru" — адрес машины, на которой оно будет работать.
relay-no-token = нет { $name }: офис не докажет реле, что он офис. Выполните `uzel relay export ФАЙЛ` и `uzel relay init --from ФАЙЛ` на реле.
relay-nothing = принимать нечего: ни одно подключение не ждёт форм и вебхуков. Добавьте его в uzel.toml и выполните `uzel init`.

relay-unreachable = реле { $host } не отвечает ({ $detail }). То, что оно приняло, лежит у него; Узел пробует снова. Если это надолго, посмотрите на той машине `uzel relay status`.
relay-cut = связь с реле { $host } рвётся ({ $detail }). То, что оно приняло, лежит у него; Узел пробует снова и просит меньшими частями. Если это надолго, проверьте канал.
relay-damaged = ответ реле { $host } испорчен в пути. Узел просит снова. Если это надолго, проверьте, что между ними никто не меняет ответы.
relay-busy = перед реле { $host } отвечают кодом { $status }. То, что оно приняло, лежит у него; Узел пробует снова. Если это надолго, посмотрите на той машине `uzel relay status` и журнал веб-сервера.
relay-token = реле { $host } не узнаёт офис. Выполните `uzel relay export ФАЙЛ` здесь и `uzel relay init --from ФАЙЛ` на реле, затем перезапустите реле.
relay-foreign = по адресу { $host } отвечает не реле. Проверьте address в [relay] и то, что веб-сервер на той машине передаёт реле адреса /relay/.
relay-fenced = реле { $host } отдаёт принятое другому офису: с ним работает копия этой папки. Остановите лишнюю копию и перезапустите нужную. Здесь забирать прекращено.
relay-other = по адресу { $host } теперь другое реле.
relay-rolled-back = журнал реле { $host } вернули к прежнему состоянию: он короче или другой, чем тот, из которого Узел забирал. Верните новый журнал; если его нет, выполните на реле `uzel relay init --from ФАЙЛ --renew`.
relay-newer = реле { $host } новее этого Узла. Обновите Узел: принятое ждёт на реле.
relay-refused = реле { $host } отказывает: { $detail }
relay-entry = сообщение { $position } реле не читается. Обновите обе стороны до одной версии; если не поможет, проверьте журнал на реле: `uzel journal verify`.
relay-anew = реле { $host } создано заново. До сообщения { $position } прежнего реле всё забрано; что оно приняло после, есть только в его прежней папке. Если она цела, верните её; иначе попросите отправителей повторить.
relay-gap = у реле { $host } больше нет сообщений с { $from } по { $to }: они забраны раньше и удалены по сроку. Если эта папка восстановлена из копии, их не хватает здесь: сравните с CRM.
relay-clock = часы реле { $host } и часы этой машины расходятся на { $seconds } с. Включите синхронизацию времени на обеих.

relay-said-fenced = другой офис подключился позже
relay-said-other = это другое реле
relay-said-rolled-back = журнал не тот, из которого забирали
relay-said-asked = запрос не читается

cli-relay = Реле: принимает формы и вебхуки на общедоступной машине, а офис забирает их сам
cli-relay-export = Записать файл для реле: подключения, секреты их адресов и подписей. Доступов к CRM и 1С в нём нет
cli-relay-export--file = Куда записать
cli-relay-export-example-1 = uzel relay export relay.json -d /var/lib/uzel
cli-relay-init = Создать папку реле по файлу из офиса или обновить подключения в ней
cli-relay-init--from = Файл из офиса
cli-relay-init--renew = Дать реле новое имя: после потери state.json или возврата журнала к прежнему состоянию
cli-relay-init-example-1 = uzel relay init --from relay.json -d /var/lib/uzel-relay
cli-relay-run = Запустить реле и работать, пока не остановят
cli-relay-run--listen = Адрес для приёма; иначе из настроек
cli-relay-run--log-json = Журнал работы строками JSON
cli-relay-run-example-1 = uzel relay run -d /var/lib/uzel-relay
cli-relay-status = Состояние реле: в его папке — что принято и что забрано, в папке Узла — как он забирает
cli-relay-status-example-1 = uzel relay status -d /var/lib/uzel-relay
cli-relay-exported = Записано: { $file }. Реле будет принимать за: { $connections }.
cli-relay-left-out = Через реле не идёт обмен с 1С ({ $connections }): 1С разговаривает с самим Узлом.
cli-relay-exported-next = В файле секреты. Перенесите его на машину реле (scp), выполните там `uzel relay init --from { $file }` и удалите обе копии.
cli-relay-next = Дальше: `uzel relay run -d { $folder }`, а на сайтах поставьте эти адреса. Файл из офиса больше не нужен: удалите его.
cli-relay-full = Свободного места мало, приём закрыт: отправители получают 503 и повторяют. Освободите место.
cli-section-relay = Реле
cli-column-relay = Имя реле
cli-column-relay-waiting = Ждут на реле
cli-column-relay-pulled = Забрано до
cli-column-confirmed = Офис забрал до
cli-column-contact = Последняя связь
cli-column-address = Адрес
cli-column-connections = Подключения
cli-column-free = Свободно, МиБ
cli-relay-state-running = работает
cli-relay-state-stopped = остановлено
cli-relay-state-never = ещё не было
cli-relay-state-off = служба не запущена
cli-relay-state-starting = начинает
cli-relay-state-pulling = забирает
cli-relay-state-unreachable = не отвечает
cli-relay-state-token = не узнаёт офис
cli-relay-state-foreign = отвечает не реле
cli-relay-state-fenced = отдаёт другому офису
cli-relay-state-other = другое реле
cli-relay-state-rolled-back = журнал возвращён назад
cli-relay-state-newer = новее Узла
cli-relay-state-refused = отказывает
cli-relay-state-own = не записывается у нас
