"""The downstream study: does a classifier get better when generated images are added?"""
