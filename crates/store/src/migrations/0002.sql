-- Format 2: models say how they were learnt and where they come from. Before, there was one algorithm and one way.
ALTER TABLE model ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'logistic_regression';
ALTER TABLE model ADD COLUMN origin TEXT NOT NULL DEFAULT 'trained';
