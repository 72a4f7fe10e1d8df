"""Planted faults: clean weeks of a bike network, and what goes wrong with such data.

The kinds follow published taxonomies of data errors. Each names the class it stands for:

- Kim, Choi, Hong, Kim, Lee: A Taxonomy of Dirty Data. Data Mining and Knowledge Discovery 7
  (2003), 81-99: missing data; wrong data, with and without a constraint that could have been
  enforced; data that is not wrong but unusable.
- Rahm, Do: Data Cleaning: Problems and Current Approaches. IEEE Data Engineering Bulletin 23, 4
  (2000), 3-13: problems of the schema and of the instances, of one source and of several.
- Oliveira, Rodrigues, Henriques: A Formal Definition of Data Quality Problems. Proceedings of the
  International Conference on Information Quality (2005): problems by granularity, from one
  attribute of one tuple to several sources.
- Abedjan et al.: Detecting Data Errors: Where are we and what needs to be done? PVLDB 9, 12
  (2016), 993-1004: outliers, duplicates, violations of rules and of patterns.
- Schelter, Rukat, Biessmann: JENGA - A Framework to Study the Impact of Data Errors on the
  Predictions of Machine Learning Models. EDBT (2021): missing values that depend on values, noise,
  scaling, swapped columns, broken encodings.

Nothing here knows of any detector.
"""
