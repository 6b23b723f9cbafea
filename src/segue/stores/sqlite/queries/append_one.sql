-- The whole transaction of a batch that is one event and nothing else: a run that goes step by step. In autocommit the
-- statement takes the file's write lock before it reads, so fence, place and row are one. Without the fence, or without
-- the event before it, the row has no event, which its table refuses. (As INSERT … SELECT … WHERE this takes twice the
-- time, because what is read from the table that is written goes through a temporary one.) The batch's number is not
-- recorded: the row itself says that the batch has landed, and a page less is written.
INSERT INTO journal (run, seq, event)
VALUES (
    ?1, ?2,
    CASE
        WHEN (SELECT epoch FROM owners WHERE app = ?4) = ?5
            AND EXISTS (SELECT 1 FROM journal WHERE run = ?1 AND seq = ?2 - 1)
        THEN ?3
    END
)
