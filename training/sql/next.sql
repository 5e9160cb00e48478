-- Bought next: from an item in one basket of a customer to the items in the customer's next basket.
-- However large the next basket is, it hands out 1 per item before it, equally among its items; it
-- fades to 1/e in 60 days. Then
--     score = handed / (baskets(item)^0.3 * baskets(other)^0.7 + 5)
-- The item that may follow weighs more in the divisor: what everybody buys anyway says little about
-- what comes next. (The other way round, Recall@10 was 1 % and discovery 5 % lower.) The item itself
-- is left out: that is buying again, which the customer's own counts know better.
--
-- Whole billionths, none below 1: see together.sql.
WITH orders AS (
    SELECT
        customer_id,
        basket_id,
        COUNT(*) AS item_count,
        MIN(age_days) AS age_days,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY MIN(at_s), basket_id) AS nth
    FROM baskets
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id, basket_id
),
steps AS (
    SELECT
        earlier.basket_id AS from_id,
        later.basket_id AS to_id,
        GREATEST(
            CAST(1 AS BIGINT), CAST(ROUND(1e9 * EXP(-later.age_days / 60) / later.item_count) AS BIGINT)
        ) AS share
    FROM orders AS earlier
    INNER JOIN orders AS later ON earlier.customer_id = later.customer_id AND earlier.nth + 1 = later.nth
),
items AS (
    SELECT item_id, COUNT(*) AS basket_count
    FROM baskets
    GROUP BY item_id
),
pairs AS (
    SELECT
        f.item_id,
        t.item_id AS other_id,
        COUNT(*) AS pair_count,
        SUM(s.share) / 1e9 AS handed
    FROM steps AS s
    INNER JOIN baskets AS f ON s.from_id = f.basket_id
    INNER JOIN baskets AS t ON s.to_id = t.basket_id
    WHERE f.item_id <> t.item_id
    GROUP BY f.item_id, t.item_id
),
scored AS (
    SELECT
        p.item_id,
        p.other_id,
        p.handed / (POWER(i.basket_count, 0.3) * POWER(o.basket_count, 0.7) + 5) AS score,
        p.pair_count
    FROM pairs AS p
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
