# Questions of `uzel init`, and what it writes into files.

init-ask-begin = Setting Uzel up in the folder { $folder }. An empty answer is what stands in brackets. Nothing is made before the last answer.
init-ask-company = Name of the company
init-ask-zone = Time zone of the company
init-ask-inn = INNs of your own legal entities, by commas (deals with them are not counted; may come later)
init-ask-public = How the daemon will be seen from outside, such as https://in.company.ru (for forms; may come later)
init-ask-site = Take forms of the site?
init-ask-tilda = Take forms of Tilda?
init-ask-1c = Take orders from 1C (exchange with a site)?
init-ask-watch = A folder that tables of CSV or Excel are put into (just Enter when there is none)
init-ask-crm = Bitrix24: 1 inbound webhook, 2 local application, 3 not yet
init-ask-crm-number = Answer 1, 2 or 3.
init-ask-webhook = Address of the inbound webhook (Bitrix24: Developer resources, Other, Inbound webhook; rights CRM and Users)
init-ask-webhook-shape = This is not the address of a webhook. It looks so: https://company.bitrix24.ru/rest/1/0000000000000000/
init-ask-private = Is this an address within your network (a boxed CRM or the twin)? May Uzel go there?
init-ask-portal = Address of the portal, such as https://company.bitrix24.ru
init-ask-client-id = Application id (client_id)
init-ask-client-secret = Application key (client_secret)
init-ask-connect-later = `uzel connect bitrix24` asks the portal to agree once the daemon runs.
init-ask-probing = Asking Bitrix24...
init-ask-another = Give another address?
init-ask-employees = Write the employees of the CRM ({ $count }) into rules/employees.toml, so that leads can be distributed?
init-ask-yes = yes
init-ask-no = no
init-ask-yes-or-no = Answer "yes" or "no".
init-ask-empty = An answer is needed here.
init-ask-ended = The answers ended before the questions; nothing was made. Answer every question, or give the answers in the command: uzel init --help

init-no-users = No CRM has named its employees. What is wrong is told by uzel probe.

init-found = What Uzel saw in the CRM when it was set up (again: uzel probe):
init-found-pipeline = Pipelines (number = name):
init-found-stage = Stages of deals (code = name):
init-found-user = Employees (number = name):
init-employees = Employees out of the CRM. What else can be said (shifts, deputies, groups) is in docs/en/rules.md.
