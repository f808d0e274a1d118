"""The line of a queue, as the claim serves it, and how long each will wait: a function, so that reads of what does not
wait neither plan nor run any of it, and so that one statement stays one."""

from django.db import migrations

_CREATE = """
CREATE FUNCTION generation_line(asked varchar, at timestamptz, newcomer bigint DEFAULT NULL)
RETURNS TABLE (video_id bigint, place bigint, wait float8, busy float8)
LANGUAGE plpgsql STABLE ROWS 50 AS $$
-- Of every video that waits in the queue `asked`: its place, from 1, the seconds until it starts, and those that it
-- will keep a worker. `newcomer` (a membership, or 0) adds what that member would ask for now, as the video 0. The wait
-- is NULL when no worker is there or nothing was measured.
BEGIN RETURN QUERY
WITH alive AS MATERIALIZED (
    SELECT worker.kind, worker.lanes FROM generation_worker worker
    WHERE worker.stopped_at IS NULL AND worker.seen_at > at - interval '60 seconds' AND worker.lanes @> ARRAY[asked]
), lane AS MATERIALIZED (  -- the queue, and the others that its workers take as well
    SELECT variant.id, variant.queue, variant.priority, variant.steps FROM generation_modelvariant variant
    WHERE variant.queue = asked OR variant.queue IN (SELECT unnest(alive.lanes) FROM alive)
), pace AS MATERIALIZED (  -- of the kinds that are there; of others, where those have not been measured
    SELECT p.variant_id, p.width, p.height, p.seconds, avg(p.median)::float8 AS ms
    FROM generation_pace p JOIN lane ON lane.id = p.variant_id
    WHERE p.kind IN (SELECT alive.kind FROM alive) OR NOT EXISTS (
        SELECT 1 FROM generation_pace other JOIN alive ON alive.kind = other.kind
        WHERE other.variant_id = p.variant_id)
    GROUP BY p.variant_id, p.width, p.height, p.seconds
), rate AS MATERIALIZED (  -- milliseconds for a pixel and second
    SELECT pace.variant_id, sum(pace.ms) / sum(pace.width::float8 * pace.height * pace.seconds) AS each
    FROM pace GROUP BY pace.variant_id
), usual AS MATERIALIZED (  -- and for a step of it
    SELECT lane.queue, avg(rate.each / lane.steps) AS each
    FROM rate JOIN lane ON lane.id = rate.variant_id GROUP BY lane.queue
), clock AS MATERIALIZED (
    SELECT share.queue, max(share.started) AS at FROM generation_queueshare share
    WHERE share.queue IN (SELECT lane.queue FROM lane) GROUP BY share.queue
), waiting AS (
    SELECT video.id, video.variant_id, video.membership_id, video.queued_at, video.attempts_made, video.cost,
           video.width, video.height, video.seconds, video.steps, lane.queue, lane.priority
    FROM lane JOIN generation_video video ON video.variant_id = lane.id AND video.state = 'queued'
    UNION ALL
    SELECT 0, NULL, newcomer, at, 0, 1, 0, 0, 0, 0, asked, top.priority
    FROM (SELECT max(lane.priority) AS priority FROM lane WHERE lane.queue = asked) top
    WHERE newcomer IS NOT NULL
), turn AS (
    SELECT waiting.id, waiting.queue, waiting.priority, waiting.queued_at,
           CASE WHEN waiting.attempts_made > 0 THEN -1 ELSE
               greatest(share.served, clock.at, 0) + (
                   sum(CASE WHEN waiting.attempts_made = 0 THEN waiting.cost ELSE 0 END) OVER mine - waiting.cost
               )::float8 / coalesce(cohort.queue_weight, 1)
           END AS turn,
           coalesce(pace.ms, rate.each * waiting.width * waiting.height * waiting.seconds,
                    usual.each * waiting.width * waiting.height * waiting.seconds * waiting.steps) AS ms
    FROM waiting
    LEFT JOIN clock ON clock.queue = waiting.queue
    LEFT JOIN generation_queueshare share
           ON share.queue = waiting.queue AND share.membership_id = waiting.membership_id
    LEFT JOIN programme_membership member ON member.id = waiting.membership_id
    LEFT JOIN programme_cohort cohort ON cohort.id = member.cohort_id
    LEFT JOIN pace ON (pace.variant_id, pace.width, pace.height, pace.seconds)
                    = (waiting.variant_id, waiting.width, waiting.height, waiting.seconds)
    LEFT JOIN rate ON rate.variant_id = waiting.variant_id
    LEFT JOIN usual ON usual.queue = waiting.queue
    WINDOW mine AS (PARTITION BY waiting.queue, waiting.membership_id ORDER BY waiting.queued_at, waiting.id)
), line AS (
    SELECT turn.id, turn.queue, turn.priority, turn.ms, row_number() OVER served AS place,
           coalesce(sum(turn.ms) OVER ahead, 0) AS before
    FROM turn
    WINDOW served AS (PARTITION BY turn.queue ORDER BY turn.priority DESC, turn.turn, turn.queued_at, turn.id),
           ahead AS (served ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), beside AS MATERIALIZED (  -- what waits in the other queues of the same workers
    SELECT line.queue, max(line.priority) AS priority, sum(line.ms) AS ms
    FROM line WHERE line.queue <> asked GROUP BY line.queue
), running AS MATERIALIZED (  -- takes that share a forward share its time
    SELECT count(*) AS workers, coalesce(sum(work.left_ms), 0) AS ms FROM (
        SELECT greatest(sum(coalesce(pace.ms, rate.each * video.width * video.height * video.seconds, 0))
                        - extract(epoch FROM at - min(video.started_at)) * 1000, 0) AS left_ms
        FROM lane JOIN generation_video video ON video.variant_id = lane.id AND video.state = 'in_progress'
        LEFT JOIN pace ON (pace.variant_id, pace.width, pace.height, pace.seconds)
                        = (video.variant_id, video.width, video.height, video.seconds)
        LEFT JOIN rate ON rate.variant_id = video.variant_id
        GROUP BY video.lease_worker
    ) work
), there AS MATERIALIZED (SELECT count(*) AS workers FROM alive)
SELECT line.id, line.place,
       CASE
           WHEN there.workers = 0 OR NOT EXISTS (SELECT 1 FROM pace) THEN NULL
           WHEN line.place + running.workers <= there.workers THEN 0
           ELSE (line.before + running.ms + coalesce((
               SELECT sum(CASE WHEN beside.priority > line.priority THEN beside.ms
                               ELSE least(beside.ms, line.before) END)
               FROM beside WHERE beside.priority >= line.priority
           ), 0)) / there.workers / 1000
       END::float8,
       line.ms / 1000
FROM line CROSS JOIN running CROSS JOIN there
WHERE line.queue = asked;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0003_queue_and_paces"), ("programme", "0003_queue_weight")]

    operations = [
        migrations.RunSQL(_CREATE, "DROP FUNCTION generation_line(varchar, timestamptz, bigint)"),
    ]
