"""Audits: what is installed or locked, compared with advisories from files, mirrors and services."""
