-- reference: is there, or was there, an account?
SELECT EXISTS (SELECT 1 FROM credential)
