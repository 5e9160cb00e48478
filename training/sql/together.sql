-- Bought together: what lies in the same basket. Jaccard over baskets, a basket fading to 1/e in 60
-- days:
--     score = w(both) / (w(item) + w(other) - w(both) + 5)
-- The 5 keeps two things that met once below things that meet every week.
--
-- Weights are whole billionths: integers add up to the same sum in any order, so equal input gives
-- equal lists on any engine and any number of threads. None is below 1, or the pairs of a very old
-- basket would have no order.
WITH weighted AS (
    SELECT
        basket_id,
        item_id,
        GREATEST(CAST(1 AS BIGINT), CAST(ROUND(1e9 * EXP(-age_days / 60)) AS BIGINT)) AS weight
    FROM baskets
),
items AS (
    SELECT item_id, SUM(weight) / 1e9 AS weight
    FROM weighted
    GROUP BY item_id
),
pairs AS (
    SELECT l.item_id AS left_id, r.item_id AS right_id, COUNT(*) AS pair_count, SUM(l.weight) / 1e9 AS weight
    FROM weighted AS l
    INNER JOIN weighted AS r ON l.basket_id = r.basket_id AND l.item_id < r.item_id
    GROUP BY l.item_id, r.item_id
),
both_ways AS (
    SELECT left_id AS item_id, right_id AS other_id, pair_count, weight FROM pairs
    UNION ALL
    SELECT right_id AS item_id, left_id AS other_id, pair_count, weight FROM pairs
),
scored AS (
    SELECT
        p.item_id,
        p.other_id,
        p.weight / (i.weight + o.weight - p.weight + 5) AS score,
        p.pair_count
    FROM both_ways AS p
    INNER JOIN items AS i ON p.item_id = i.item_id
    INNER JOIN items AS o ON p.other_id = o.item_id
    CROSS JOIN thresholds
    WHERE p.pair_count >= pair_count_min
),
numbered AS (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY item_id ORDER BY score DESC, other_id) AS place
    FROM scored
)
SELECT item_id, other_id, score, pair_count
FROM numbered
WHERE place <= 50
ORDER BY item_id, place
