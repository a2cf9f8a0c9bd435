-- Why: to index the words of a text of many megabytes held up everything else for seconds; its beginning is found now.

-- What is searched: of each turn that has its place the first 131,072 characters (`searchedCharsMax` in the code).
create view turn_beginnings as
select key, substr(content, 1, 131072) as content from turns where seq is not null;

drop trigger turns_arrive;
drop trigger turns_take_their_place;
drop trigger turns_leave;
drop table turns_search;

create virtual table turns_search using fts5 (
  content, content = 'turn_beginnings', content_rowid = 'key', tokenize = 'unicode61 remove_diacritics 2');

-- As before: merged less often, and rid of deleted words at once.
insert into turns_search (turns_search, rank) values ('automerge', 16);
insert into turns_search (turns_search, rank) values ('secure-delete', 1);
insert into turns_search (turns_search) values ('rebuild');

create trigger turns_arrive after insert on turns when new.seq is not null
begin
  update conversations set next_seq = next_seq + 1, updated_at = max(updated_at, new.created_at)
  where id = new.conversation_id;
  insert into turns_search (rowid, content) values (new.key, substr(new.content, 1, 131072));
end;

create trigger turns_take_their_place after update of seq on turns
begin
  update conversations set next_seq = next_seq + 1 where id = new.conversation_id;
  insert into turns_search (rowid, content) values (new.key, substr(new.content, 1, 131072));
end;

create trigger turns_leave after delete on turns when old.seq is not null
begin
  insert into turns_search (turns_search, rowid, content)
  values ('delete', old.key, substr(old.content, 1, 131072));
end;
