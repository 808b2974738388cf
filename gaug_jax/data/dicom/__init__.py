"""DICOM files of one image: their pixels as a picture, and what they say of it as text.

`pixels.read_dicom` and `facts.dicom_facts`; sections are those of the DICOM standard 2024,
parts 3 (PS3.3) and 5 (PS3.5).
"""
