"""Reports: result documents as console tables, HTML pages and bundles."""
