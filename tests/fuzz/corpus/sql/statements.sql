CREATE TABLE a (b DEFAULT ';', "c;" TEXT);
-- one; two
/* three; */ INSERT INTO a VALUES (';', `;`);
create temp trigger t after insert on a begin
 update a set b = case when 1 then 2 else 3 end;
 select case 1 when 2 then 3 end; -- end;
end ;
CREATE TRIGGER "end" DELETE ON a WHEN CASE 1 WHEN 1 THEN 1 END BEGIN SELECT 1; END;
CREATE TABLE trigger_of (x);
;
SELECT 1 -- the last has none
