## table: tables of watched folders
table-empty = the file has no cell with anything in it. Save it again, or remove it from the folder.
table-old-excel = this is a workbook of the old Excel format (.xls). Save it as "Excel workbook (.xlsx)" or CSV and put it into the folder again.
table-markup = this is a page (HTML or XML) under the name of a table. Open it in Excel and save it as "Excel workbook (.xlsx)", or let the program export CSV.
table-not-table = this is neither a CSV file nor a workbook. Save it as "Excel workbook (.xlsx)" or CSV and put it into the folder again.
table-book = the workbook cannot be read: { $detail }. Open it in Excel, save it again and put it into the folder.
table-bomb = the workbook unpacks to more than { $max } bytes. Look whether it is what it should be; a real export of that size should be CSV.
table-text = row { $row } cannot be read: { $detail }. Export the file again.
table-quote = a double quote in row { $row } is not closed, so the rest of the file stands in one cell: { $text }… Export the file again, or close the quote.
table-sheet = the workbook has no sheet "{ $sheet }"; it has: { $known }. Correct the setting sheet, or the name of the sheet.
table-header-row = row { $row }, which the setting header_row names, is empty or not there. Correct the setting, or the file.
table-no-header = no row with names of columns is among the first { $rows } rows (the first filled one is row { $row }). Add a row of names above the data, or name it by the setting header_row.
table-columns = the table has more than { $max } columns. Leave only those that are needed.
table-rows = the table has more than { $max } rows. Export it in parts.
table-cell = the cell of row { $row }, column { $column }, is longer than a cell can be. Export the file again.
table-row-wide = row { $row } has { $cells } cells, the header { $columns }: a separator stands inside of a value. Put the value into quotes, or export as XLSX, then put the file into the folder again.
table-scientific = the number in row { $row }, column { $column }, was shortened by Excel and has lost its digits; it was left out. Give the column the format "text" before the export.
table-formula = the formula in row { $row }, column { $column }, has no value; it was left out. Correct it in the workbook.
table-column-missing = the table has no column "{ $column }" (header in row { $row }: { $found }). No row was taken. Put the column back, or correct columns in { $file }, then retry this record.
table-column-renamed = the table has no column "{ $column }"; there is "{ $near }" (header in row { $row }: { $found }). No row was taken. Give the column its name back, or correct { $file }, then retry this record.
table-column-shifted = the column "{ $column }" is read as { $field }, and { $bad } of { $cells } cells hold { $look ->
    [phone] telephone numbers
    [email] e-mail addresses
    [inn] INNs
    [date] dates
    [number] numbers
    [company] names of companies
    [name] names of people
   *[text] something else
  }, first in row { $row }. The columns seem to be shifted, so no row was taken. Look at the header in row { $header }; correct the file and put it into the folder again, or correct the mapping and retry this record.
table-column-unread = the column "{ $column }" holds { $look ->
    [phone] telephone numbers
    [email] e-mail addresses
    [inn] INNs
   *[text] values
  } (first in row { $row }), and the mapping reads none. No row was taken. Run uzel folder guess on the file and keep the mapping it writes, or add the name of the column to { $file }, then retry this record.
table-columns-unknown = none of the columns is known that say whom a row is about ({ $wanted }); the header in row { $row } is: { $found }. No row was taken. Run uzel folder guess on the file and keep the mapping it writes, or correct { $file }, then retry this record.
table-order-lines = the same number in the column "{ $column }" stands in many rows (first again in row { $row }): this is a table of the lines of orders, not of orders. Export one row for each order.

## folder: watched folders
folder-growing = { $file } was changed a moment ago or is being copied; it is looked at again in a few seconds.
folder-half = { $file } has no end yet: it is being copied. If it stays so for ten minutes, it is taken as it is and put into quarantine.
folder-no-end = the last line of { $file } has no end: it may be being copied. If it does not change for half a minute, it is taken.
folder-locked = somebody has { $file } open ({ $lock } lies beside it). Close it; if nobody has it open, delete { $lock }.
folder-too-large = { $file } is larger than { $mib } MiB. Export it in parts.
folder-unreadable = { $file } cannot be read: { $detail }. Give the user that Uzel runs as the right to read it.
folder-not-moved = { $file } was read and cannot be moved to the folder done: { $detail }. Give the user that Uzel runs as the right to write there, or set after = "leave".
folder-path = { $path } cannot be used: { $detail }. Correct the path of the connection, or the rights of the folder.
folder-no-connection = there is no connection "{ $connection }" that watches a folder. Add one to uzel.toml with connector = "folder".
