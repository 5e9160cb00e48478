-- What is looked at: visits with the item in the last 14 days. It fills lists up where nothing was sold.
WITH counted AS (
    SELECT item_id, COUNT(*) AS visit_count, MAX(at_s) AS last_at_s
    FROM (
        SELECT visitor_id, visit, item_id, MAX(at_s) AS at_s
        FROM visits
        CROSS JOIN parameters
        WHERE as_of_s - at_s <= 14 * 86400
        GROUP BY visitor_id, visit, item_id
    ) AS seen
    GROUP BY item_id
),
numbered AS (
    SELECT *, ROW_NUMBER() OVER (ORDER BY visit_count DESC, last_at_s DESC, item_id) AS place FROM counted
)
SELECT item_id, visit_count
FROM numbered
WHERE place <= 200
ORDER BY place
