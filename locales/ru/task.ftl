## task: what is to be done
task-answer = Ответить: клиент написал снова, «{ $subject }»
task-answer-plain = Ответить: от клиента пришла ещё одна заявка
task-returned = Вернулся: новая заявка «{ $subject }» по недавно проигранной сделке. Свяжитесь и откройте сделку снова
task-returned-plain = Вернулся: новая заявка по недавно проигранной сделке. Свяжитесь и откройте сделку снова
task-ambiguous = К какой сделке заявка «{ $subject }»? Открытых сделок у клиента: { $deals }. Пока она записана в эту
task-ambiguous-plain = К какой сделке новая заявка? Открытых сделок у клиента: { $deals }. Пока она записана в эту
task-untouched = Новую заявку никто не взял за { $minutes } рабочих минут
task-untouched-head = Новую заявку никто не взял за { $minutes } рабочих минут: руководителю
task-check = Заказу 1С { $number } подходят несколько сделок ({ $deals }): он получил свою. Проверьте, не к одной ли из них он относится
task-check-payment = Оплате { $number } на { $sum } подходят несколько сделок ({ $deals }). Укажите в ней заказ или счёт: после этого она сама попадёт в свою сделку
task-check-return = Возврату { $number } на { $sum } подходят несколько сделок ({ $deals }). Укажите в нём заказ: после этого он сам попадёт в свою сделку
task-check-shipment = Отгрузке { $number } на { $sum } подходят несколько сделок ({ $deals }). Укажите в ней заказ: после этого она сама попадёт в свою сделку

## task: how a task ended
task-by-person = человеком ({ $who })
task-by-person-note = { $note } ({ $who })
task-by-stage = сделку сдвинули с места ({ $source })
task-by-responsible = у сделки сменился ответственный ({ $source })
task-by-comment = в сделке появился комментарий ({ $source })
task-by-closed = сделка закрыта ({ $source })
task-by-reopened = сделка открыта снова ({ $source })
task-by-document = по сделке оформлен документ ({ $source })
task-by-contact = с клиентом связались ({ $source })
task-by-deletion = там её больше нет, сделана или удалена ({ $sink })

## task: the interface
control-task-ended = задача { $id } уже закончена: { $result }
control-task-done = задача { $id } сделана
control-task-cancelled = задача { $id } отменена

## task: help and tables
cli-task = Задачи сотрудникам: что сделать, кому, до какого срока
cli-task-list = Открытые задачи по сроку; или сделанные, отменённые, все
cli-task-list--state = Какие задачи
cli-task-list--responsible = Только этого ответственного
cli-task-list--limit = Строк на странице
cli-task-list--after = Продолжить после этой задачи
cli-task-list-example-1 = uzel task list
cli-task-list-example-2 = uzel task list --state overdue --responsible Иванова
cli-task-show = Задача целиком: откуда она, чем кончилась, что знает о ней CRM
cli-task-show--id = Идентификатор задачи
cli-task-show-example-1 = uzel task show tsk_0000000004000
cli-task-done = Отметить задачу сделанной; в CRM она закроется сама
cli-task-done--id = Идентификатор задачи
cli-task-done--note = Что вышло
cli-task-done-example-1 = uzel task done tsk_0000000004000 --note "Договорились о встрече"
cli-task-cancel = Снять задачу: делать её не нужно
cli-task-cancel--id = Идентификатор задачи
cli-task-cancel--reason = Почему
cli-task-cancel-example-1 = uzel task cancel tsk_0000000004000 --reason "клиент ошибся номером"
cli-section-tasks = Открытые задачи
cli-column-task-due = Срок
cli-column-responsible = Ответственный
cli-column-task-created = Поставлена
cli-column-task-renewals = Новых поводов
cli-column-task-rule = По правилу
cli-column-task-ended = Закончена
cli-task-state-open = открыта
cli-task-state-overdue = просрочена
cli-task-state-done = сделана
cli-task-state-cancelled = отменена
task-by-crm = закрыта в { $source }
task-call-back = Перезвонить: клиент звонил на { $number } и не дозвонился
task-call-back-plain = Перезвонить: клиент звонил и не дозвонился
