# Вопросы `uzel init` и то, что она записывает в файлы.

init-ask-begin = Настройка Узла в папке { $folder }. Пустой ответ — то, что в скобках. До последнего ответа ничего не создаётся.
init-ask-company = Название компании
init-ask-zone = Часовой пояс компании
init-ask-inn = ИНН своих организаций, через запятую (сделки с ними не считаются; можно позже)
init-ask-public = Как службу будет видно снаружи, например https://in.company.ru (нужно для форм; можно позже)
init-ask-site = Принимать формы сайта?
init-ask-tilda = Принимать формы Тильды?
init-ask-1c = Принимать заказы из 1С (обмен с сайтом)?
init-ask-watch = Папка, в которую кладут таблицы CSV или Excel (если такой нет, просто Enter)
init-ask-crm = Битрикс24: 1 — входящий вебхук, 2 — локальное приложение, 3 — пока без него
init-ask-crm-number = Ответьте 1, 2 или 3.
init-ask-webhook = Адрес входящего вебхука (Битрикс24: Разработчикам, Другое, Входящий вебхук; права CRM и Пользователи)
init-ask-webhook-shape = Это не адрес вебхука. Он выглядит так: https://company.bitrix24.ru/rest/1/0000000000000000/
init-ask-private = Это адрес внутри вашей сети (коробка или двойник)? Разрешить обращаться к нему?
init-ask-portal = Адрес портала, например https://company.bitrix24.ru
init-ask-client-id = Код приложения (client_id)
init-ask-client-secret = Ключ приложения (client_secret)
init-ask-connect-later = Согласие портала спросит `uzel connect bitrix24`, когда служба запущена.
init-ask-probing = Спрашиваю Битрикс24…
init-ask-another = Ввести другой адрес?
init-ask-employees = Записать сотрудников CRM ({ $count }) в rules/employees.toml, чтобы распределять лиды?
init-ask-yes = да
init-ask-no = нет
init-ask-yes-or-no = Ответьте «да» или «нет».
init-ask-empty = Здесь нужен ответ.
init-ask-ended = Ответы кончились раньше вопросов; ничего не создано. Ответьте на все вопросы или укажите ответы в команде: uzel init --help

init-no-users = Ни одна CRM не назвала своих сотрудников. Что не так, покажет uzel probe.

init-found = Что Узел увидел в CRM при настройке (снова: uzel probe):
init-found-pipeline = Воронки (номер = название):
init-found-stage = Этапы сделок (код = название):
init-found-user = Сотрудники (номер = имя):
init-employees = Сотрудники из CRM. Что ещё можно указать (смены, заместители, группы), см. docs/ru/rules.md.
