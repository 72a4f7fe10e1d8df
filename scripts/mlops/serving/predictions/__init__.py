"""The prediction log: each scored row with its record, in Parquet files by day."""
