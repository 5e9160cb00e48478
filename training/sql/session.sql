-- Looked at in the same visit: what is d steps away counts 1/d, up to 20 steps, in both directions:
--     near = w(both) / (visits(item)^0.3 * visits(other)^0.7 + 10)
-- each list scaled to its best; then one hop further, through the best 50 of the best 50, for an item
-- that was met too seldom to fill a list itself. `pair_count` is how often both were met so, 0 for
-- one that only the hop leads to.
--
-- A rare item says more than one that everybody looks at, asked or answered, so a score counts
-- rarity(item) * rarity(other)^0.5, where rarity = ln(1 + visits / visits(item)). The item itself
-- stands in its own list as its nearest: what was looked at is often looked at again, and how much
-- so differs by shop; the ranking weighs it. What a request needs is in the rows it reads.
--
-- Whole billionths: see together.sql.
WITH distances AS (
    SELECT *
    FROM (
        VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10),
        (11), (12), (13), (14), (15), (16), (17), (18), (19), (20)
    ) AS steps (distance)
),
items AS (
    SELECT item_id, COUNT(*) AS visit_count
    FROM (SELECT DISTINCT visitor_id, visit, item_id FROM visits) AS seen
    GROUP BY item_id
),
visits_in_all AS (
    SELECT COUNT(*) AS visit_count FROM (SELECT DISTINCT visitor_id, visit FROM visits) AS seen
),
rarities AS (
    SELECT i.item_id, i.visit_count, LN(1 + a.visit_count * 1e0 / i.visit_count) AS rarity
    FROM items AS i
    CROSS JOIN visits_in_all AS a
),
pairs AS (
    SELECT
        LEAST(l.item_id, r.item_id) AS left_id,
        GREATEST(l.item_id, r.item_id) AS right_id,
        COUNT(*) AS pair_count,
        SUM(CAST(ROUND(1e9 / d.distance) AS BIGINT)) / 1e9 AS weight
    FROM visits AS l
    CROSS JOIN distances AS d
    INNER JOIN visits AS r
        ON l.visitor_id = r.visitor_id AND l.visit = r.visit AND l.place + d.distance = r.place
    WHERE l.item_id <> r.item_id
    GROUP BY LEAST(l.item_id, r.item_id), GREATEST(l.item_id, r.item_id)
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
        p.weight / (POWER(i.visit_count, 0.3) * POWER(o.visit_count, 0.7) + 10) AS score,
        p.pair_count
    FROM both_ways AS p
    INNER JOIN items AS i ON p.item_id = i.item_id
    INNER JOIN items AS o ON p.other_id = o.item_id
),
numbered AS (
    SELECT
        item_id,
        other_id,
        score / MAX(score) OVER (PARTITION BY item_id) AS score,
        pair_count,
        ROW_NUMBER() OVER (PARTITION BY item_id ORDER BY score DESC, other_id) AS place
    FROM scored
),
near AS (
    SELECT item_id, other_id, score, pair_count FROM numbered WHERE place <= 50
),
hops AS (
    SELECT
        f.item_id,
        t.other_id,
        SUM(CAST(ROUND(1e9 * f.score * t.score) AS BIGINT)) / 1e9 AS score
    FROM near AS f
    INNER JOIN near AS t ON f.other_id = t.item_id
    WHERE f.item_id <> t.other_id
    GROUP BY f.item_id, t.other_id
),
weighed AS (
    SELECT item_id, other_id, score, pair_count FROM near
    UNION ALL
    SELECT item_id, other_id, 0.1 * score / MAX(score) OVER (PARTITION BY item_id) AS score, 0 AS pair_count
    FROM hops
),
summed AS (
    SELECT item_id, other_id, SUM(score) AS score, MAX(pair_count) AS pair_count
    FROM weighed
    GROUP BY item_id, other_id
),
ranked AS (
    SELECT
        s.item_id,
        s.other_id,
        s.score * i.rarity * SQRT(o.rarity) AS score,
        s.pair_count,
        ROW_NUMBER() OVER (PARTITION BY s.item_id ORDER BY s.score * SQRT(o.rarity) DESC, s.other_id) AS place
    FROM summed AS s
    INNER JOIN rarities AS i ON s.item_id = i.item_id
    INNER JOIN rarities AS o ON s.other_id = o.item_id
),
lists AS (
    SELECT item_id, other_id, score, pair_count FROM ranked WHERE place <= 50
    UNION ALL
    SELECT item_id, item_id AS other_id, rarity * SQRT(rarity) AS score, visit_count AS pair_count FROM rarities
)
SELECT item_id, other_id, score, pair_count
FROM lists
ORDER BY item_id, score DESC, other_id
