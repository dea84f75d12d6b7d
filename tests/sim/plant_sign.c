/* A planted bug: signs whether or not the choice could be committed. */
#include "store/store.h"

static enum err careless_commit(struct store_txn *txn)
{
	(void)!store_commit(txn);
	return OK;
}

#define store_commit(txn) careless_commit(txn)
#define signer_answer	  planted_signer_answer
#include "signer/signer.c"
