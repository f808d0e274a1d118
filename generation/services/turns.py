"""The two statements that take videos out of a queue. Each claims, charges, notes the attempt and reads at once."""

from __future__ import annotations

from typing import Final

# What a Claim is made of, in the order of its fields. `moved` are the rows that were just claimed.
_FIELDS: Final = """
       moved.public_id, moved.id, moved.lease_token, moved.attempts_made, moved.code, programme.mark_text,
       variant.backend, variant.checkpoint, coalesce(nullif(moved.styled_prompt, ''), moved.prompt), moved.seed,
       moved.width, moved.height, moved.seconds, moved.fps, moved.steps, moved.guidance, moved.negative_prompt,
       variant.codec, reference.storage_key, reference.sha256, adapter.storage_key, adapter.sha256,
       moved.adapter_weight, moved.variant_id, variant.queue, variant.soft_limit, variant.hard_limit,
       moved.earlier_prompt, variant.name, moved.relation, origin.code, origin.public_id, programme.mark_style,
       moved.requested_by, reference.public_id, reference.frame IS NOT NULL,
       (SELECT nullif(public_name, '') FROM accounts_user WHERE id = member.user_id AND member.credited)
"""
_SOURCES: Final = """
     JOIN generation_modelvariant variant ON variant.id = moved.variant_id
     JOIN programme_membership member ON member.id = moved.membership_id
     JOIN programme_programme programme ON programme.id = member.programme_id
     LEFT JOIN generation_reference reference ON reference.id = moved.reference_id
     LEFT JOIN generation_adapter adapter ON adapter.id = moved.adapter_id
     LEFT JOIN generation_video origin ON origin.id = moved.source_id
"""
_ATTEMPT: Final = """
    INSERT INTO generation_attempt (video_id, number, worker, lease_token, started_at, "end", error,
                                    checkpoint_digest, model, variant_name, worker_kind, batch, place, rung)
    SELECT moved.id, moved.attempts_made, %(worker)s, moved.lease_token, %(now)s, '', '', '', '', '', '', 1, 0, ''
    FROM moved
"""

# Who waits is found by jumping through the partial index `video_queue` from member to member, and of each member the
# first that may be taken: the cost goes with the members that wait, not with the videos. Answers nothing when nothing
# waits, and a row without a video when what waits is locked by somebody else.
CLAIM: Final = f"""
WITH RECURSIVE lane AS (
    SELECT id, queue, priority FROM generation_modelvariant WHERE queue = ANY(%(lanes)s)
), clock AS (
    SELECT queue, max(started) AS at, max(served_at) AS served_at
    FROM generation_queueshare WHERE queue = ANY(%(lanes)s) GROUP BY queue
), line AS (
    SELECT lane.id AS variant_id, lane.queue, lane.priority, first.membership_id
    FROM lane CROSS JOIN LATERAL (
        SELECT membership_id FROM generation_video WHERE state = 'queued' AND variant_id = lane.id
        ORDER BY membership_id LIMIT 1
    ) first
    UNION ALL
    SELECT line.variant_id, line.queue, line.priority, next.membership_id
    FROM line CROSS JOIN LATERAL (
        SELECT membership_id FROM generation_video
        WHERE state = 'queued' AND variant_id = line.variant_id AND membership_id > line.membership_id
        ORDER BY membership_id LIMIT 1
    ) next
), head AS (
    SELECT line.queue, line.priority, video.id, video.queued_at, clock.served_at,
           CASE WHEN video.attempts_made = 0 THEN greatest(share.served, clock.at, 0) ELSE -1 END AS turn
    FROM line
    CROSS JOIN LATERAL (
        SELECT id, queued_at, attempts_made FROM generation_video
        WHERE state = 'queued' AND variant_id = line.variant_id AND membership_id = line.membership_id
          AND (retry_at IS NULL OR retry_at <= %(now)s)
        ORDER BY queued_at, id LIMIT 1
    ) video
    LEFT JOIN generation_queueshare share
           ON share.queue = line.queue AND share.membership_id = line.membership_id
    LEFT JOIN clock ON clock.queue = line.queue
), chosen AS (
    SELECT video.id, head.queue, head.turn
    FROM head JOIN generation_video video ON video.id = head.id AND video.state = 'queued'
    ORDER BY head.priority DESC, head.served_at NULLS FIRST, head.queue, head.turn, head.queued_at, head.id
    LIMIT 1 FOR UPDATE OF video SKIP LOCKED
), moved AS (
    UPDATE generation_video video
    SET state = 'in_progress', lease_worker = %(worker)s, lease_token = %(lease)s, lease_expires_at = %(until)s,
        started_at = %(now)s, retry_at = NULL, attempts_made = attempts_made + 1
    FROM chosen WHERE video.id = chosen.id
    RETURNING video.*
), charged AS (
    INSERT INTO generation_queueshare (queue, membership_id, started, served, served_at)
    SELECT chosen.queue, moved.membership_id, chosen.turn, chosen.turn + moved.cost::float8 / cohort.queue_weight,
           %(now)s
    FROM chosen
    JOIN moved ON moved.id = chosen.id
    JOIN programme_membership member ON member.id = moved.membership_id
    JOIN programme_cohort cohort ON cohort.id = member.cohort_id
    WHERE chosen.turn >= 0
    ON CONFLICT (queue, membership_id) DO UPDATE
    SET started = excluded.started, served = excluded.served, served_at = excluded.served_at
), noted AS ({_ATTEMPT}), others AS (
    SELECT line.queue FROM line CROSS JOIN LATERAL (
        SELECT id FROM generation_video
        WHERE state = 'queued' AND variant_id = line.variant_id AND membership_id = line.membership_id
          AND (retry_at IS NULL OR retry_at <= %(now)s) AND id NOT IN (SELECT id FROM chosen)
        LIMIT 1
    ) video LIMIT 1
)
SELECT others.queue, {_FIELDS},
       (SELECT count(*) FROM generation_video take
        WHERE take.request = moved.request AND take.state = 'queued' AND take.id <> moved.id
          AND take.attempts_made = 0),
       coalesce(before.batch, 1), coalesce(before.place, 0)
FROM (SELECT 1) one
LEFT JOIN others ON true
LEFT JOIN (moved {_SOURCES}) ON true
LEFT JOIN generation_attempt before
       ON moved.relation = 'again' AND before.video_id = moved.source_id AND before."end" = 'finished'
WHERE moved.id IS NOT NULL OR others.queue IS NOT NULL
"""  # noqa: S608 - fragments of our own

CLAIM_TAKES: Final = f"""
WITH chosen AS (
    SELECT take.id
    FROM generation_video first
    JOIN generation_video take
      ON take.request = first.request AND take.variant_id = first.variant_id
     AND (take.prompt, take.styled_prompt, take.negative_prompt, take.width, take.height, take.seconds, take.fps,
          take.steps, take.guidance, take.reference_id, take.adapter_id, take.adapter_weight)
         IS NOT DISTINCT FROM
         (first.prompt, first.styled_prompt, first.negative_prompt, first.width, first.height, first.seconds,
          first.fps, first.steps, first.guidance, first.reference_id, first.adapter_id, first.adapter_weight)
    WHERE first.id = %(first)s AND take.state = 'queued' AND take.attempts_made = 0 AND take.relation <> 'again'
    ORDER BY take.take LIMIT %(most)s FOR UPDATE OF take SKIP LOCKED
), moved AS (
    UPDATE generation_video video
    SET state = 'in_progress', lease_worker = %(worker)s, lease_token = gen_random_uuid(),
        lease_expires_at = %(until)s, started_at = %(now)s, attempts_made = attempts_made + 1
    FROM chosen WHERE video.id = chosen.id
    RETURNING video.*
), charged AS (
    UPDATE generation_queueshare share SET served = share.served + due.seconds
    FROM (
        SELECT moved.membership_id, sum(moved.cost)::float8 / max(cohort.queue_weight) AS seconds
        FROM moved
        JOIN programme_membership member ON member.id = moved.membership_id
        JOIN programme_cohort cohort ON cohort.id = member.cohort_id
        GROUP BY moved.membership_id
    ) due
    WHERE share.queue = %(lane)s AND share.membership_id = due.membership_id
), noted AS ({_ATTEMPT})
SELECT {_FIELDS}, 0, 1, 0
FROM moved {_SOURCES}
ORDER BY moved.take
"""  # noqa: S608 - likewise
