-- A page takes a third of the keys that it could hold and keeps the rest for their answers, which are stored when the orders
-- end and are longer than all else in the row: they find room beside it and write to no index. So does the end of their retention.
alter table keys set (fillfactor = 35);
