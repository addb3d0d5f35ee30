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

## task: how a task ended
task-by-person = сделана ({ $who })
task-by-person-note = сделана ({ $who }): { $note }
task-by-stage = сделку сдвинули с места ({ $source })
task-by-responsible = у сделки сменился ответственный ({ $source })
task-by-comment = в сделке появился комментарий ({ $source })
task-by-closed = сделка закрыта ({ $source })
task-by-reopened = сделка открыта снова ({ $source })
task-by-contact = с клиентом связались ({ $source })
task-by-deletion = удалена в { $sink }
