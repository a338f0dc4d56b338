-- A page takes two or three new sagas and keeps the rest of its room for their checkpoints: two thirds of those find room
-- beside their row and write to no index, rather than one third; and the pages that the others were moved to are spared.
alter table sagas set (fillfactor = 35);
